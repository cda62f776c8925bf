// understudy-guardian: pets the watchdog while the core's deadline is ahead, and does nothing else.
// It decides nothing and restarts nothing. When the core disarms, it closes the device cleanly;
// when the deadline passes while armed, it stops petting and the device resets the host.
//
//   understudy-guardian --state FILE --device PATH|none [--timeout-ms N] [--interval-ms N] [--fake]
//
// --fake takes any file or FIFO for the device (tests). Each change is one line of JSON on standard
// output. SIGTERM ends it only while disarmed, for an end while armed would reset the host.
#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "base.h"
#include "guardian_state.h"

namespace {

using namespace understudy;

volatile sig_atomic_t endAsked = 0;

struct Options {
  std::string state, device;
  long timeoutMillis = 2000, intervalMillis = 100;
  bool fake = false;
};

[[noreturn]] void refuse(const char* what, const std::string& detail) {
  fprintf(stderr, "understudy-guardian: %s: %s\n", what, detail.c_str());
  exit(2);
}

Options parse(int count, char** words) {
  Options options;
  for (int i = 1; i < count; i++) {
    const std::string word = words[i];
    if (word == "--fake") {
      options.fake = true;
      continue;
    }
    if (i + 1 == count) refuse("this option wants a value", word);
    const std::string value = words[++i];
    if (word == "--state")
      options.state = value;
    else if (word == "--device")
      options.device = value;
    else if (word == "--timeout-ms")
      options.timeoutMillis = atol(value.c_str());
    else if (word == "--interval-ms")
      options.intervalMillis = atol(value.c_str());
    else
      refuse("unknown option", word);
  }
  if (options.state.empty() || options.device.empty())
    refuse("wanted", "--state FILE --device PATH|none");
  if (options.timeoutMillis < 1000 || options.timeoutMillis > 600000)
    refuse("out of range", "--timeout-ms 1000..600000");
  if (options.intervalMillis < 10 || options.intervalMillis * 3 > options.timeoutMillis)
    refuse("out of range", "--interval-ms 10..a third of the timeout");
  return options;
}

GuardianPage* mapState(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) refuse(path.c_str(), describeErrno(errno));
  struct stat status{};
  if (fstat(fd, &status) != 0 ||
      (status.st_size < off_t(kGuardianBytes) && ftruncate(fd, kGuardianBytes) != 0))
    refuse(path.c_str(), describeErrno(errno));
  void* page = mmap(nullptr, kGuardianBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (page == MAP_FAILED) refuse(path.c_str(), describeErrno(errno));
  return static_cast<GuardianPage*>(page);
}

void report(const char* event, const std::string& detail) {
  printf("{\"event\":\"%s\",\"t\":%lld%s}\n", event, static_cast<long long>(bootMicros()),
         detail.c_str());
  fflush(stdout);
}

/// The watchdog device: closed (disarmed), or open and counting down.
class Watchdog {
 public:
  explicit Watchdog(const Options& options) : options_(options) {}
  bool exists() const { return options_.device != "none"; }
  bool running() const { return fd_ >= 0; }
  long timeoutMillis() const { return timeoutMillis_; }

  /// Opening starts the countdown.
  void start() {
    if (!exists() || running()) return;
    fd_ = open(options_.device.c_str(),
               O_WRONLY | O_CLOEXEC | (options_.fake ? O_NONBLOCK | O_APPEND : 0));
    if (fd_ < 0) {
      if (errno != lastError_)
        report("device-failed", ",\"error\":\"" + describeErrno(errno) + "\"");
      lastError_ = errno;
      return;
    }
    lastError_ = 0;
    // Rounded down: the leases were reckoned with this time, and a later reset breaks them.
    int seconds = int(options_.timeoutMillis / 1000);
    if (ioctl(fd_, WDIOC_SETTIMEOUT, &seconds) != 0 && !options_.fake)
      report("timeout-refused", ",\"error\":\"" + describeErrno(errno) + "\"");
    // The driver may have rounded; what it says now is what counts.
    if (!options_.fake && ioctl(fd_, WDIOC_GETTIMEOUT, &seconds) != 0) seconds = 0;
    timeoutMillis_ = seconds * 1000L;
    report("armed", ",\"timeoutMillis\":" + std::to_string(timeoutMillis_));
  }

  void pet() {
    if (running() && write(fd_, "\0", 1) != 1 && errno != lastError_) {
      lastError_ = errno;
      report("pet-failed", ",\"error\":\"" + describeErrno(errno) + "\"");
    }
  }

  /// The magic character says that the end is meant; without it the countdown goes on.
  void stop() {
    if (!running()) return;
    const bool told = write(fd_, "V", 1) == 1;
    close(fd_);
    fd_ = -1;
    timeoutMillis_ = 0;
    report("disarmed", told ? ",\"clean\":true" : ",\"clean\":false");
  }

 private:
  const Options& options_;
  int fd_ = -1, lastError_ = 0;
  long timeoutMillis_ = 0;
};

void checkDevice(const Options& options) {
  if (options.device == "none") return;
  struct stat status{};
  if (stat(options.device.c_str(), &status) != 0 || access(options.device.c_str(), W_OK) != 0)
    refuse(options.device.c_str(), describeErrno(errno));
  if (!options.fake && !S_ISCHR(status.st_mode)) refuse(options.device.c_str(), "is no device");
}

int guard(const Options& options, GuardianPage* page) {
  Watchdog watchdog(options);
  bool lapsed = false;
  // A guardian before us that was killed left the device counting down: that is ours to settle.
  bool inherited = page->running.load() != 0;
  report("started", std::string(",\"device\":") + (watchdog.exists() ? "true" : "false"));
  page->pid.store(uint64_t(getpid()));
  for (;;) {
    const uint64_t now = uint64_t(bootMicros());
    const uint64_t word = page->word.load(std::memory_order_acquire);
    const bool known = page->magic.load() == kGuardianMagic;
    const bool armed = known && (word & kGuardianArmed) != 0;
    const bool ahead = armed && now < (word & ~kGuardianArmed);
    if (ahead) {
      inherited = false;
      watchdog.start();
      watchdog.pet();
      if (watchdog.running()) page->pettedMicros.store(now);
    } else if (known && !armed) {
      if (inherited) watchdog.start();
      inherited = false;
      watchdog.stop();
      if (endAsked != 0) return 0;
    }
    if (armed && !ahead && !lapsed)
      report("lapsed", ",\"deadline\":" + std::to_string(word & ~kGuardianArmed));
    if (ahead && lapsed) report("resumed", "");
    lapsed = armed && !ahead;
    if (endAsked != 0 && !watchdog.running() && !inherited) return 0;
    page->seenMicros.store(now);
    page->timeoutMillis.store(uint64_t(watchdog.timeoutMillis()));
    page->running.store(watchdog.running() || inherited ? 1 : 0);
    usleep(useconds_t(options.intervalMillis * 1000));
  }
}

}  // namespace

int main(int count, char** words) {
  const Options options = parse(count, words);
  GuardianPage* page = mapState(options.state);
  struct sigaction ending{};
  ending.sa_handler = [](int) { endAsked = 1; };
  sigaction(SIGTERM, &ending, nullptr);
  sigaction(SIGINT, &ending, nullptr);
  signal(SIGPIPE, SIG_IGN);
  // Best effort: petting must not wait for memory or for other processes.
  mlockall(MCL_CURRENT | MCL_FUTURE);
  sched_param priority{};
  priority.sched_priority = 10;
  sched_setscheduler(0, SCHED_FIFO, &priority);
  checkDevice(options);
  return guard(options, page);
}
