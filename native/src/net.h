// Addresses and listening sockets. Names are not resolved here: JavaScript does that, off this
// thread.
#pragma once
#include <netinet/in.h>

#include <string>

#include "base.h"
#include "core.h"

namespace understudy {

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
  bool loopback = false;
};

/// Throws Failure ADDRESS_INVALID unless `host` is a numeric IPv4 or IPv6 address.
Address parseAddress(const std::string& host, uint16_t port);

/// A socket that accepts through the reactor.
struct Listener {
  enum class For { Nbd, Peer };
  For purpose;
  int fd = -1;
  std::string path;
  uint16_t port = 0;
  bool accepting = false;
  /// When to accept again after a failure, 0 for at once.
  int64_t retryAt = 0;

  ~Listener();
};

/// Throws Failure ADDRESS_IN_USE, ADDRESS_DENIED, ADDRESS_INVALID. Waits up to a second for an
/// address that a killed process's ring still holds.
std::unique_ptr<Listener> listenTcp(Listener::For purpose, const std::string& host, uint16_t port);
/// Replaces a socket file that nobody listens on. The file can be used by its owner only.
std::unique_ptr<Listener> listenUnix(Listener::For purpose, const std::string& path);

/// -1 when the process has no descriptor left.
int makeTcpSocket(const Address& address);
void tuneTcp(int fd, int64_t silenceMicros);

}  // namespace understudy
