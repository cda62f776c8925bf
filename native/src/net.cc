#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace understudy {
namespace {

constexpr int kBacklog = 64;
constexpr int64_t kBindWaitMicros = 1000000;

[[noreturn]] void refuse(int error, const std::string& what) {
  const char* code = error == EADDRINUSE                 ? "ADDRESS_IN_USE"
                     : error == EACCES || error == EPERM ? "ADDRESS_DENIED"
                                                         : "ADDRESS_INVALID";
  throw Failure(code, what + ": " + describeErrno(error));
}

}  // namespace

Listener::~Listener() {
  if (fd >= 0) close(fd);
  if (!path.empty()) unlink(path.c_str());
}

Address parseAddress(const std::string& host, uint16_t port) {
  Address address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.length = sizeof *v4;
    address.loopback = ntohl(v4->sin_addr.s_addr) >> 24 == 127;
    return address;
  }
  if (inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.length = sizeof *v6;
    address.loopback = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    return address;
  }
  throw Failure("ADDRESS_INVALID", "\"" + host + "\" is not a numeric IP address");
}

int makeTcpSocket(const Address& address) {
  return socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

std::unique_ptr<Listener> listenTcp(Listener::For purpose, const std::string& host, uint16_t port) {
  const Address address = parseAddress(host, port);
  auto listener = std::make_unique<Listener>();
  listener->purpose = purpose;
  listener->fd = makeTcpSocket(address);
  if (listener->fd < 0) refuse(errno, host);
  const int one = 1;
  setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (address.storage.ss_family == AF_INET6)
    setsockopt(listener->fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
  const std::string what = host + ":" + std::to_string(port);
  for (const int64_t deadline = bootMicros() + kBindWaitMicros;;) {
    if (bind(listener->fd, reinterpret_cast<const sockaddr*>(&address.storage), address.length) ==
            0 &&
        listen(listener->fd, kBacklog) == 0)
      break;
    if (errno != EADDRINUSE || bootMicros() >= deadline) refuse(errno, what);
    usleep(20000);
  }
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  getsockname(listener->fd, reinterpret_cast<sockaddr*>(&bound), &length);
  listener->port =
      ntohs(bound.ss_family == AF_INET ? reinterpret_cast<sockaddr_in*>(&bound)->sin_port
                                       : reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port);
  return listener;
}

std::unique_ptr<Listener> listenUnix(Listener::For purpose, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    throw Failure("ADDRESS_INVALID", "the socket path is empty or too long: " + path);
  memcpy(address.sun_path, path.c_str(), path.size());
  auto listener = std::make_unique<Listener>();
  listener->purpose = purpose;
  listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener->fd < 0) refuse(errno, path);
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  for (const int64_t deadline = bootMicros() + kBindWaitMicros;;) {
    if (bind(listener->fd, name, sizeof address) == 0) break;
    if (errno != EADDRINUSE) refuse(errno, path);
    struct stat status{};
    if (lstat(path.c_str(), &status) == 0 && !S_ISSOCK(status.st_mode))
      refuse(EADDRINUSE, path + " exists and is no socket");
    const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const bool stale = connect(probe, name, sizeof address) != 0 && errno == ECONNREFUSED;
    close(probe);
    if (stale) {
      unlink(path.c_str());
      continue;
    }
    if (bootMicros() >= deadline) refuse(EADDRINUSE, path);
    usleep(20000);
  }
  listener->path = path;
  if (chmod(path.c_str(), 0600) != 0 || listen(listener->fd, kBacklog) != 0) refuse(errno, path);
  return listener;
}

void tuneTcp(int fd, int64_t silenceMicros) {
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  // Buffer sizes are left to the kernel: it grows them to 4 MiB and more as the link needs, while
  // setting them by hand would cap them at net.core.wmem_max, a twentieth of that.
  // Far above the silence that we judge by ourselves: the kernel also counts the time in which a
  // living peer, waiting for its disk, takes nothing.
  const unsigned timeout = static_cast<unsigned>(silenceMicros / 1000) * 5;
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof timeout);
}

}  // namespace understudy
