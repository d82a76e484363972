package dev.reshard.change;

import java.io.OutputStream;
import java.util.Arrays;

/** Cuts what is written into pieces of the size of a chunk. Confined to one thread. */
final class PieceStream extends OutputStream {

  /** Takes the pieces, in order. */
  interface Out {
    /**
     * @param bytes the receiver's to keep
     */
    void take(byte[] bytes, boolean last);
  }

  private final Out out;
  private byte[] piece = new byte[TransactionEncoder.CHUNK_BYTES];
  private int used;

  PieceStream(Out out) {
    this.out = out;
  }

  @Override
  public void write(int value) {
    makeRoom();
    piece[used++] = (byte) value;
  }

  @Override
  public void write(byte[] bytes, int offset, int length) {
    for (int done = 0; done < length; ) {
      makeRoom();
      int part = Math.min(length - done, piece.length - used);
      System.arraycopy(bytes, offset + done, piece, used, part);
      used += part;
      done += part;
    }
  }

  /** Hands over the last piece. */
  @Override
  public void close() {
    out.take(Arrays.copyOf(piece, used), true);
  }

  private void makeRoom() {
    if (used == piece.length) {
      out.take(piece, false);
      piece = new byte[piece.length];
      used = 0;
    }
  }
}
