#include "base.h"
#include "io.h"

namespace understudy {
std::unique_ptr<Io> makeEpoll() {
  throw Failure("IO_URING_UNAVAILABLE", "io_uring is not available");
}
}  // namespace understudy
