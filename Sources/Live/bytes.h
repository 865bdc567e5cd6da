/* bytes.h - numbers as bytes, least significant first, and a checksum of them. */
#ifndef LIVE_BYTES_H
#define LIVE_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline void bytes_put(unsigned char *to, uint64_t v) {
  for (int i = 0; i < 8; i++) to[i] = (unsigned char)(v >> 8 * i);
}

static inline uint64_t bytes_get(const unsigned char *from) {
  uint64_t v = 0;
  for (int i = 0; i < 8; i++) v |= (uint64_t)from[i] << 8 * i;
  return v;
}

/* FNV-1a, of 64 bits. */
static inline uint64_t bytes_checksum(const unsigned char *v, size_t count) {
  uint64_t hash = 0xCBF29CE484222325;
  for (size_t i = 0; i < count; i++) hash = (hash ^ v[i]) * 0x100000001B3;
  return hash;
}

/* ---- What is saved begins with a header: magic, version, length and checksum ---- */

enum { BYTES_HEADER = 32 };

static inline void bytes_seal(unsigned char *saved, const char magic[8], uint64_t version, size_t length) {
  memcpy(saved, magic, 8);
  bytes_put(saved + 8, version);
  bytes_put(saved + 16, length);
  bytes_put(saved + 24, bytes_checksum(saved + BYTES_HEADER, length - BYTES_HEADER));
}

/* Whether it is as it was sealed. */
static inline int bytes_are_sealed(const unsigned char *saved, size_t size, const char magic[8], uint64_t version) {
  return size >= BYTES_HEADER && memcmp(saved, magic, 8) == 0 && bytes_get(saved + 8) == version &&
         bytes_get(saved + 16) == size &&
         bytes_get(saved + 24) == bytes_checksum(saved + BYTES_HEADER, size - BYTES_HEADER);
}

#endif
