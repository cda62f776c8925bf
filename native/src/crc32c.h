// CRC32C (Castagnoli), as in iSCSI and in slot headers. It detects, it does not authenticate.
// x86-64: three interleaved chains of the crc32 instruction, joined by tables made at compile time.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace understudy {
namespace crc {

constexpr uint32_t kPolynomial = 0x82f63b78;

using Matrix = std::array<uint32_t, 32>;
using Shift = std::array<std::array<uint32_t, 256>, 4>;

constexpr uint32_t times(const Matrix& matrix, uint32_t vector) {
  uint32_t sum = 0;
  for (int i = 0; vector != 0; vector >>= 1, i++)
    if ((vector & 1) != 0) sum ^= matrix[i];
  return sum;
}

constexpr Matrix square(const Matrix& matrix) {
  Matrix result{};
  for (int i = 0; i < 32; i++) result[i] = times(matrix, matrix[i]);
  return result;
}

/// Tables that advance a checksum over `length` zero bytes.
constexpr Shift shiftBy(size_t length) {
  Matrix bit{};  // one zero bit
  bit[0] = kPolynomial;
  for (int i = 1; i < 32; i++) bit[i] = uint32_t{1} << (i - 1);
  Matrix power = square(square(square(bit)));  // one zero byte
  Matrix whole{};
  for (int i = 0; i < 32; i++) whole[i] = uint32_t{1} << i;
  for (size_t rest = length; rest != 0; rest >>= 1) {
    if ((rest & 1) != 0) {
      Matrix next{};
      for (int i = 0; i < 32; i++) next[i] = times(power, whole[i]);
      whole = next;
    }
    power = square(power);
  }
  Shift table{};
  for (uint32_t n = 0; n < 256; n++)
    for (int k = 0; k < 4; k++) table[k][n] = times(whole, n << (8 * k));
  return table;
}

constexpr uint32_t shifted(const Shift& table, uint32_t crc) {
  return table[0][crc & 255] ^ table[1][(crc >> 8) & 255] ^ table[2][(crc >> 16) & 255] ^
         table[3][crc >> 24];
}

constexpr std::array<uint32_t, 256> byteTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t n = 0; n < 256; n++) {
    uint32_t crc = n;
    for (int k = 0; k < 8; k++) crc = (crc & 1) != 0 ? (crc >> 1) ^ kPolynomial : crc >> 1;
    table[n] = crc;
  }
  return table;
}

inline constexpr std::array<uint32_t, 256> kBytes = byteTable();
constexpr size_t kLong = 1360;  // 3 × 1360 is 4 KiB but for 16 bytes
constexpr size_t kShort = 128;
inline constexpr Shift kLongShift = shiftBy(kLong);
inline constexpr Shift kShortShift = shiftBy(kShort);

inline uint32_t portable(uint32_t crc, const uint8_t* at, size_t length) {
  for (; length != 0; length--) crc = (crc >> 8) ^ kBytes[(crc ^ *at++) & 255];
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) inline uint64_t word(uint64_t crc, const uint8_t* at) {
  uint64_t value;
  memcpy(&value, at, 8);
  return _mm_crc32_u64(crc, value);
}

template <size_t Lane>
__attribute__((target("sse4.2"))) inline uint64_t three(uint64_t crc, const Shift& shift,
                                                        const uint8_t* at) {
  uint64_t second = 0, third = 0;
  for (size_t i = 0; i < Lane; i += 8) {
    crc = word(crc, at + i);
    second = word(second, at + Lane + i);
    third = word(third, at + 2 * Lane + i);
  }
  crc = shifted(shift, static_cast<uint32_t>(crc)) ^ second;
  return shifted(shift, static_cast<uint32_t>(crc)) ^ third;
}

__attribute__((target("sse4.2"))) inline uint32_t hardware(uint32_t start, const uint8_t* at,
                                                           size_t length) {
  uint64_t crc = start;
  for (; length >= 3 * kLong; at += 3 * kLong, length -= 3 * kLong)
    crc = three<kLong>(crc, kLongShift, at);
  for (; length >= 3 * kShort; at += 3 * kShort, length -= 3 * kShort)
    crc = three<kShort>(crc, kShortShift, at);
  for (; length >= 8; at += 8, length -= 8) crc = word(crc, at);
  for (; length != 0; length--) crc = _mm_crc32_u8(static_cast<uint32_t>(crc), *at++);
  return static_cast<uint32_t>(crc);
}
#endif

}  // namespace crc

/// The checksum of what had `before`, followed by this.
inline uint32_t crc32cAfter(uint32_t before, const void* data, size_t length) {
  const uint8_t* at = static_cast<const uint8_t*>(data);
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return ~crc::hardware(~before, at, length);
#endif
  return ~crc::portable(~before, at, length);
}

inline uint32_t crc32c(const void* data, size_t length) { return crc32cAfter(0, data, length); }

}  // namespace understudy
