// What every part of the addon uses: the typed failure, the belief that stops the process, the
// clock, and the two ways of numbers on a wire.
#pragma once
#include <time.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

namespace understudy {

/// What the world may do to a set-up call: thrown in cold code, turned into a NativeError in JS.
class Failure : public std::runtime_error {
 public:
  Failure(const char* code, const std::string& message)
      : std::runtime_error(message), code_(code) {}
  const char* code() const { return code_; }

 private:
  const char* code_;
};

inline std::string describeErrno(int error) { return std::string(strerror(error)); }

/// A belief of ours proved false. Going on could corrupt both replicas: fail-stop.
[[noreturn]] inline void brokenBelief(const char* belief, const char* file, int line) {
  fprintf(stderr, "understudy native: broken belief: %s (%s:%d)\n", belief, file, line);
  fflush(stderr);
  abort();
}

#define BELIEVE(holds, belief)                                \
  do {                                                        \
    if (!(holds)) [[unlikely]]                                \
      ::understudy::brokenBelief(belief, __FILE__, __LINE__); \
  } while (false)

/// Microseconds of the clock that all processes of a host share; counts suspended time.
inline int64_t bootMicros() {
  timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return int64_t{now.tv_sec} * 1000000 + now.tv_nsec / 1000;
}

/// Processor time that the calling thread has used.
inline int64_t threadCpuMicros() {
  timespec used;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return int64_t{used.tv_sec} * 1000000 + used.tv_nsec / 1000;
}

/// Overwrites a secret so that the compiler cannot leave it out.
__attribute__((noinline)) inline void wipe(void* at, size_t bytes) { explicit_bzero(at, bytes); }

// Little-endian, for our own wire.
template <typename T>
inline void storeLe(uint8_t* at, T value) {
  for (size_t i = 0; i < sizeof(T); i++)
    at[i] = static_cast<uint8_t>(static_cast<uint64_t>(value) >> (8 * i));
}
template <typename T>
inline T loadLe(const uint8_t* at) {
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(T); i++) value |= uint64_t{at[i]} << (8 * i);
  return static_cast<T>(value);
}
// Big-endian, for NBD's.
template <typename T>
inline void storeBe(uint8_t* at, T value) {
  for (size_t i = 0; i < sizeof(T); i++)
    at[i] = static_cast<uint8_t>(static_cast<uint64_t>(value) >> (8 * (sizeof(T) - 1 - i)));
}
template <typename T>
inline T loadBe(const uint8_t* at) {
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(T); i++) value = (value << 8) | at[i];
  return static_cast<T>(value);
}

}  // namespace understudy
