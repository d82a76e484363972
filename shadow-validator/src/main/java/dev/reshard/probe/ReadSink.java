package dev.reshard.probe;

import dev.reshard.topics.ShadowRead;

/** Takes what was read. Thread-safe. */
interface ReadSink {
  void take(ShadowRead read);
}
