-- The bucket of a key by MurmurHash3 (x86, 32 bit, seed 0, unsigned) of its text in UTF-8.
--
-- Stands in the WHEN of guards, so it runs as any role under any search path: every name and operator is
-- qualified, nothing is set, no table is read. A bigint holds each 32-bit word; the factors are written as
-- negative numbers where they have their highest bit, so that no product leaves the range of a bigint.
CREATE OR REPLACE FUNCTION reshard.bucket_murmur3(key pg_catalog.text, buckets integer) RETURNS integer
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  bytes CONSTANT pg_catalog.bytea := pg_catalog.convert_to(key, 'UTF8');
  length CONSTANT integer := pg_catalog.octet_length(bytes);
  word bigint;
  hash bigint := 0;
BEGIN
  FOR i IN 0 .. length OPERATOR(pg_catalog.-) 4 BY 4 LOOP
    word := ((pg_catalog.get_byte(bytes, i)
        OPERATOR(pg_catalog.|) (pg_catalog.get_byte(bytes, i OPERATOR(pg_catalog.+) 1) OPERATOR(pg_catalog.<<) 8)
        OPERATOR(pg_catalog.|) (pg_catalog.get_byte(bytes, i OPERATOR(pg_catalog.+) 2) OPERATOR(pg_catalog.<<) 16)
        OPERATOR(pg_catalog.|) (pg_catalog.get_byte(bytes, i OPERATOR(pg_catalog.+) 3)::bigint OPERATOR(pg_catalog.<<) 24))
      OPERATOR(pg_catalog.*) (-862048943)) OPERATOR(pg_catalog.&) 4294967295;
    hash := hash OPERATOR(pg_catalog.#) (((((word OPERATOR(pg_catalog.<<) 15)
        OPERATOR(pg_catalog.|) (word OPERATOR(pg_catalog.>>) 17)) OPERATOR(pg_catalog.&) 4294967295)
      OPERATOR(pg_catalog.*) 461845907) OPERATOR(pg_catalog.&) 4294967295);
    hash := (((((hash OPERATOR(pg_catalog.<<) 13) OPERATOR(pg_catalog.|) (hash OPERATOR(pg_catalog.>>) 19))
        OPERATOR(pg_catalog.&) 4294967295) OPERATOR(pg_catalog.*) 5)
      OPERATOR(pg_catalog.+) 3864292196) OPERATOR(pg_catalog.&) 4294967295;
  END LOOP;
  -- the last 0 to 3 bytes; of none, the word is 0 and changes nothing
  word := 0;
  FOR i IN REVERSE length OPERATOR(pg_catalog.-) 1
      .. length OPERATOR(pg_catalog.-) (length OPERATOR(pg_catalog.%) 4) LOOP
    word := (word OPERATOR(pg_catalog.<<) 8) OPERATOR(pg_catalog.|) pg_catalog.get_byte(bytes, i);
  END LOOP;
  word := (word OPERATOR(pg_catalog.*) (-862048943)) OPERATOR(pg_catalog.&) 4294967295;
  hash := hash OPERATOR(pg_catalog.#) (((((word OPERATOR(pg_catalog.<<) 15)
      OPERATOR(pg_catalog.|) (word OPERATOR(pg_catalog.>>) 17)) OPERATOR(pg_catalog.&) 4294967295)
    OPERATOR(pg_catalog.*) 461845907) OPERATOR(pg_catalog.&) 4294967295);
  hash := hash OPERATOR(pg_catalog.#) length;
  hash := ((hash OPERATOR(pg_catalog.#) (hash OPERATOR(pg_catalog.>>) 16)) OPERATOR(pg_catalog.*) (-2048144789))
    OPERATOR(pg_catalog.&) 4294967295;
  hash := ((hash OPERATOR(pg_catalog.#) (hash OPERATOR(pg_catalog.>>) 13)) OPERATOR(pg_catalog.*) (-1028477387))
    OPERATOR(pg_catalog.&) 4294967295;
  RETURN ((hash OPERATOR(pg_catalog.#) (hash OPERATOR(pg_catalog.>>) 16)) OPERATOR(pg_catalog.%) buckets)::integer;
END $$;

GRANT EXECUTE ON FUNCTION reshard.bucket_murmur3(pg_catalog.text, integer) TO PUBLIC;
