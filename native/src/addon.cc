// The N-API surface: arguments in, typed errors out. No state of its own, so that it loads in any
// number of Workers.
#include <fcntl.h>
#include <napi.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

#include "abi_table.h"
#include "crc32c.h"
#include "disk.h"
#include "guardian_state.h"
#include "options.h"
#include "reactor.h"
#include "reservation.h"
#include "nh.h"
#include "siphash.h"

namespace understudy {
namespace {

void throwFailure(Napi::Env env, const Failure& failure) {
  Napi::Error error = Napi::Error::New(env, failure.what());
  error.Set("code", Napi::String::New(env, failure.code()));
  error.ThrowAsJavaScriptException();
}

/// Runs set-up code; a Failure becomes a JavaScript error with `code`.
template <typename Call>
Napi::Value guarded(Napi::Env env, Call call) {
  try {
    return call();
  } catch (const Failure& failure) {
    throwFailure(env, failure);
  } catch (const std::exception& error) {
    throwFailure(env, Failure("INTERNAL", error.what()));
  }
  return env.Undefined();
}

class ReactorObject : public Napi::ObjectWrap<ReactorObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Reactor",
                       {
                           InstanceMethod<&ReactorObject::poll>("poll"),
                           InstanceMethod<&ReactorObject::listenNbd>("listenNbd"),
                           InstanceMethod<&ReactorObject::setExport>("setExport"),
                           InstanceMethod<&ReactorObject::setExportBytes>("setExportBytes"),
                           InstanceMethod<&ReactorObject::listenPeer>("listenPeer"),
                           InstanceMethod<&ReactorObject::connectPeer>("connectPeer"),
                           InstanceMethod<&ReactorObject::stats>("stats"),
                           InstanceMethod<&ReactorObject::spills>("spills"),
                           InstanceMethod<&ReactorObject::close>("close"),
                           InstanceAccessor<&ReactorObject::memory>("memory"),
                           InstanceAccessor<&ReactorObject::clock>("clock"),
                           InstanceAccessor<&ReactorObject::wakeFd>("wakeFd"),
                           InstanceAccessor<&ReactorObject::personality>("personality"),
                           InstanceAccessor<&ReactorObject::direct>("direct"),
                           StaticMethod<&ReactorObject::wake>("wake"),
                       });
  }

  explicit ReactorObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ReactorObject>(info) {
    guarded(info.Env(), [&]() -> Napi::Value {
      if (!info[0].IsObject()) badArgument("options");
      reactor_ = std::make_unique<Reactor>(optionsFrom(info[0].As<Napi::Object>()));
      memory_ = Napi::Persistent(shared(info.Env(), reactor_->memory()));
      clock_ = Napi::Persistent(shared(info.Env(), reactor_->clock()));
      return info.Env().Undefined();
    });
  }

 private:
  static Napi::ArrayBuffer shared(Napi::Env env, const std::shared_ptr<SharedMemory>& memory) {
    auto* holder = new std::shared_ptr<SharedMemory>(memory);
    return Napi::ArrayBuffer::New(
        env, memory->at, memory->bytes,
        [](Napi::Env, void*, std::shared_ptr<SharedMemory>* held) { delete held; }, holder);
  }

  Reactor& open() {
    if (reactor_ == nullptr || reactor_->closed())
      throw Failure("CLOSED", "this reactor is closed");
    return *reactor_;
  }

  Napi::Value poll(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      if (!info[0].IsNumber() || !info[1].IsNumber()) badArgument("decisionCount, deadlineMicros");
      const uint32_t count = info[0].As<Napi::Number>().Uint32Value();
      return Napi::Number::New(info.Env(),
                               open().poll(count, info[1].As<Napi::Number>().DoubleValue()));
    });
  }

  Napi::Value listenNbd(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      if (!info[0].IsObject()) badArgument("address");
      const auto address = info[0].As<Napi::Object>();
      const std::string name = info[1].IsString() ? info[1].As<Napi::String>().Utf8Value() : "";
      if (name.size() > 64) badArgument("exportName (at most 64 bytes)");
      if (address.Has("path")) {
        open().listenNbdPath(text(address, "path"), name);
        return Napi::Number::New(info.Env(), 0);
      }
      return Napi::Number::New(
          info.Env(),
          open().listenNbd(text(address, "host"), uint16_t(integer(address, "port", 65535)), name));
    });
  }

  Napi::Value setExportBytes(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      if (!info[0].IsNumber()) badArgument("bytes");
      const double bytes = info[0].As<Napi::Number>().DoubleValue();
      if (!(bytes > 0 && bytes <= double(kSizeMax))) badArgument("bytes");
      open().setExportBytes(uint64_t(bytes));
      return info.Env().Undefined();
    });
  }

  Napi::Value setExport(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      if (!info[0].IsBoolean()) badArgument("open");
      open().setExport(info[0].As<Napi::Boolean>().Value());
      return info.Env().Undefined();
    });
  }

  Napi::Value listenPeer(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      if (!info[0].IsObject()) badArgument("address");
      const auto address = info[0].As<Napi::Object>();
      return Napi::Number::New(
          info.Env(),
          open().listenPeer(text(address, "host"), uint16_t(integer(address, "port", 65535))));
    });
  }

  Napi::Value connectPeer(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      if (!info[0].IsObject()) badArgument("peer");
      const auto peer = info[0].As<Napi::Object>();
      open().connectPeer(uint16_t(integer(peer, "node", 64)), text(peer, "host"),
                         uint16_t(integer(peer, "port", 65535)));
      return info.Env().Undefined();
    });
  }

  Napi::Value stats(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const Reactor& reactor = open();
      const Stats& s = reactor.stats();
      Napi::Object all = Napi::Object::New(info.Env());
      const std::pair<const char*, uint64_t> counters[] = {
          {"polls", s.polls},
          {"events", s.events},
          {"decisions", s.decisions},
          {"kernelEnters", reactor.enters()},
          {"nbdConnections", s.nbdConnections},
          {"nbdRefused", s.nbdRefused},
          {"nbdRejected", s.nbdRejected},
          {"nbdRequests", s.nbdRequests},
          {"nbdTimeouts", s.nbdTimeouts},
          {"peerConnections", s.peerConnections},
          {"peerRefused", s.peerRefused},
          {"authFailures", s.authFailures},
          {"framesRejected", s.framesRejected},
          {"checksumFailures", s.checksumFailures},
          {"framesSent", s.framesSent},
          {"framesReceived", s.framesReceived},
          {"bytesSent", s.bytesSent},
          {"bytesReceived", s.bytesReceived},
          {"linksUp", s.linksUp},
          {"linksDown", s.linksDown},
          {"linksSilent", s.linksSilent},
          {"connectFailures", s.connectFailures},
          {"localReads", s.localReads},
          {"localWrites", s.localWrites},
          {"localFlushes", s.localFlushes},
          {"syncs", s.syncs},
          {"metaReads", s.metaReads},
          {"metaWrites", s.metaWrites},
          {"stalls", s.stalls},
          {"diskFaults", s.diskFaults},
          {"registeredBytes", reactor.registeredBytes()},
          {"cpuMicros", threadCpuMicros()},
      };
      for (const auto& [name, value] : counters)
        all.Set(name, Napi::Number::New(info.Env(), double(value)));
      all.Set("lastRefusal", Napi::String::New(info.Env(), s.lastRefusal));
      all.Set("lastFault", Napi::String::New(info.Env(), s.lastFault));
      all.Set("waitedFor", Napi::String::New(info.Env(), reactor.waitedFor()));
      return all;
    });
  }

  Napi::Value spills(const Napi::CallbackInfo& info) {
    return guarded(info.Env(),
                   [&]() -> Napi::Value { return spillList(info.Env(), open().spills()); });
  }

  Napi::Value close(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      if (reactor_ != nullptr && !reactor_->closed()) reactor_->close();
      return info.Env().Undefined();
    });
  }

  Napi::Value memory(const Napi::CallbackInfo&) { return memory_.Value(); }
  Napi::Value clock(const Napi::CallbackInfo&) { return clock_.Value(); }
  Napi::Value wakeFd(const Napi::CallbackInfo& info) {
    return guarded(info.Env(),
                   [&]() -> Napi::Value { return Napi::Number::New(info.Env(), open().wakeFd()); });
  }
  Napi::Value personality(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      return Napi::String::New(info.Env(), open().personality());
    });
  }
  Napi::Value direct(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      return Napi::Boolean::New(info.Env(), open().direct());
    });
  }

  static Napi::Value wake(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      if (!info[0].IsNumber()) badArgument("fd");
      const uint64_t one = 1;
      const bool told =
          ::write(info[0].As<Napi::Number>().Int32Value(), &one, sizeof one) == sizeof one;
      return Napi::Boolean::New(info.Env(), told);
    });
  }

  std::unique_ptr<Reactor> reactor_;
  Napi::Reference<Napi::ArrayBuffer> memory_, clock_;
};

class GuardianObject : public Napi::ObjectWrap<GuardianObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "GuardianState",
                       {
                           InstanceMethod<&GuardianObject::set>("set"),
                           InstanceMethod<&GuardianObject::read>("read"),
                           InstanceMethod<&GuardianObject::close>("close"),
                       });
  }

  explicit GuardianObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<GuardianObject>(info) {
    guarded(info.Env(), [&]() -> Napi::Value {
      if (!info[0].IsString()) badArgument("path");
      map(info[0].As<Napi::String>().Utf8Value());
      return info.Env().Undefined();
    });
  }
  ~GuardianObject() override { unmap(); }

 private:
  void map(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) throw Failure("GUARDIAN_STATE", path + ": " + describeErrno(errno));
    struct stat status{};
    const bool sized = fstat(fd, &status) == 0 && (status.st_size >= off_t(kGuardianBytes) ||
                                                   ftruncate(fd, kGuardianBytes) == 0);
    void* page = sized ? mmap(nullptr, kGuardianBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                       : MAP_FAILED;
    const int error = errno;
    ::close(fd);
    if (page == MAP_FAILED) throw Failure("GUARDIAN_STATE", path + ": " + describeErrno(error));
    page_ = static_cast<GuardianPage*>(page);
    // The deadline of the core before us stands: a restart inside it is not noticed.
    page_->magic.store(kGuardianMagic);
  }
  void unmap() {
    if (page_ != nullptr) munmap(page_, kGuardianBytes);
    page_ = nullptr;
  }
  GuardianPage& page() {
    if (page_ == nullptr) throw Failure("CLOSED", "this guardian state is closed");
    return *page_;
  }

  Napi::Value set(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      if (!info[0].IsNumber() || !info[1].IsBoolean()) badArgument("deadlineMicros, armed");
      const double deadline = info[0].As<Napi::Number>().DoubleValue();
      if (!(deadline >= 0) || deadline > 9007199254740991.0) badArgument("deadlineMicros");
      const uint64_t armed = info[1].As<Napi::Boolean>().Value() ? kGuardianArmed : 0;
      page().word.store(uint64_t(deadline) | armed, std::memory_order_release);
      return info.Env().Undefined();
    });
  }

  Napi::Value read(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const GuardianPage& now = page();
      const uint64_t word = now.word.load(std::memory_order_acquire);
      Napi::Object all = Napi::Object::New(info.Env());
      all.Set("deadlineMicros", double(word & ~kGuardianArmed));
      all.Set("armed", (word & kGuardianArmed) != 0);
      all.Set("pid", double(now.pid.load()));
      all.Set("seenMicros", double(now.seenMicros.load()));
      all.Set("pettedMicros", double(now.pettedMicros.load()));
      all.Set("timeoutMillis", double(now.timeoutMillis.load()));
      all.Set("running", now.running.load() != 0);
      return all;
    });
  }

  Napi::Value close(const Napi::CallbackInfo& info) {
    unmap();
    return info.Env().Undefined();
  }

  GuardianPage* page_ = nullptr;
};

/// Takes the whole file for this process; its descriptor, or -1 when another one has it. The kernel
/// lets go when the descriptor closes, however the process ends.
Napi::Value lockFile(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    if (!info[0].IsString()) badArgument("path");
    const std::string path = info[0].As<Napi::String>().Utf8Value();
    int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) throw Failure("LOCK_FILE", path + ": " + describeErrno(errno));
    struct flock whole{};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    if (fcntl(fd, F_OFD_SETLK, &whole) != 0) {
      const int error = errno;
      ::close(fd);
      if (error != EAGAIN && error != EACCES)
        throw Failure("LOCK_FILE", path + ": " + describeErrno(error));
      fd = -1;
    }
    return Napi::Number::New(info.Env(), fd);
  });
}

/// A page at `at` of a file or device, shorter at its end; or the errno of why there is none.
Napi::Value readPage(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    if (!info[0].IsString() || !info[1].IsNumber()) badArgument("path, at");
    const int64_t at = info[1].As<Napi::Number>().Int64Value();
    if (at < 0 || at % int64_t(kPageBytes) != 0) badArgument("at (whole pages)");
    uint8_t page[kPageBytes];
    const int32_t got =
        readPageOf(info[0].As<Napi::String>().Utf8Value(), uint64_t(at), page);
    if (got < 0) return Napi::Number::New(info.Env(), -got);
    return Napi::Buffer<uint8_t>::Copy(info.Env(), page, size_t(got));
  });
}

struct Mapping {
  void* at;
  size_t bytes;
  ~Mapping() { munmap(at, bytes); }
};

/// A file of exactly so many bytes as memory that survives the process. Its blocks are allocated
/// and its pages are in memory before we return: a fault that cannot be served would kill us.
Napi::Value mapFile(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    if (!info[0].IsString() || !info[1].IsNumber()) badArgument("path, bytes");
    const std::string path = info[0].As<Napi::String>().Utf8Value();
    const int64_t bytes = info[1].As<Napi::Number>().Int64Value();
    if (bytes <= 0 || bytes % int64_t(kPageBytes) != 0) badArgument("bytes (whole pages)");
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) throw Failure("MAP_FILE", path + ": " + describeErrno(errno));
    int error = ftruncate(fd, bytes) == 0 ? posix_fallocate(fd, 0, bytes) : errno;
    void* at = MAP_FAILED;
    if (error == 0) {
      at = mmap(nullptr, size_t(bytes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
      if (at == MAP_FAILED) error = errno;
    }
    ::close(fd);
    if (error != 0) throw Failure("MAP_FILE", path + ": " + describeErrno(error));
    // Kept there where a limit allows it.
    if (mlock(at, size_t(bytes)) != 0) errno = 0;
    return Napi::ArrayBuffer::New(
        info.Env(), at, size_t(bytes), [](Napi::Env, void*, Mapping* mapping) { delete mapping; },
        new Mapping{at, size_t(bytes)});
  });
}

/// A safe integer that is the same as long as the host is up.
Napi::Value bootId(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    char id[64] = {};
    const int fd = ::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    const ssize_t length = fd >= 0 ? ::read(fd, id, sizeof id) : -1;
    if (fd >= 0) ::close(fd);
    if (length <= 0) throw Failure("BOOT_ID", "/proc/sys/kernel/random/boot_id cannot be read");
    const uint64_t bits =
        siphash128(SipKey{1, 2}, id, size_t(length)).low & ((uint64_t{1} << 52) - 1);
    return Napi::Number::New(info.Env(), double(bits == 0 ? 1 : bits));
  });
}

Napi::Value crcOf(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const std::vector<uint8_t> data = octets(info[0], "data");
    return Napi::Number::New(info.Env(), crc32c(data.data(), data.size()));
  });
}

Napi::Value sipOf(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const std::vector<uint8_t> key = octets(info[0], "key"), data = octets(info[1], "data");
    if (key.size() != 16) badArgument("key (16 bytes)");
    SipKey words;
    memcpy(&words, key.data(), 16);
    const Tag128 tag = siphash128(words, data.data(), data.size());
    return Napi::Buffer<uint8_t>::Copy(info.Env(), reinterpret_cast<const uint8_t*>(&tag),
                                       sizeof tag);
  });
}

/// The three sums of one chunk, by the fastest way of this machine and by the portable one.
Napi::Value nhOf(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const std::vector<uint8_t> key = octets(info[0], "key"), data = octets(info[1], "data");
    if (key.size() != nh::kKeyBytes) badArgument("key (1056 bytes)");
    if (data.size() > nh::kChunk || data.size() % 16 != 0) badArgument("data (a chunk)");
    uint64_t sums[2 * nh::kPasses] = {};
    nh::chunk(sums, key.data(), data.data(), data.size());
    nh::portable(sums + nh::kPasses, key.data(), data.data(), data.size());
    return Napi::Buffer<uint8_t>::Copy(info.Env(), reinterpret_cast<const uint8_t*>(sums),
                                       sizeof sums);
  });
}

uint64_t keyOf(const Napi::Value& value) {
  bool whole = false;
  const uint64_t key = value.IsBigInt() ? value.As<Napi::BigInt>().Uint64Value(&whole) : 0;
  if (!whole) badArgument("key (64 bits)");
  return key;
}

Napi::Value changeReservationOf(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    if (!info[0].IsNumber() || !info[1].IsNumber()) badArgument("fd, change");
    const uint32_t change = info[1].As<Napi::Number>().Uint32Value();
    if (change < 1 || change > 4) badArgument("change");
    return Napi::Number::New(
        info.Env(), changeReservation(info[0].As<Napi::Number>().Int32Value(),
                                      ReservationChange(change), keyOf(info[2]), keyOf(info[3])));
  });
}

/// Both parts of a table; where one could not be read, why.
struct Table {
  int results[2] = {};
  uint8_t data[2][kReservationBytes];

  void read(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
      results[0] = -(kErrnoFrom + errno);
      return;
    }
    for (uint32_t what = 0; what < 2; ++what) {
      results[what] = readReservation(fd, ReservationRead(what), data[what]);
      if (results[what] < 0) break;
    }
    ::close(fd);
  }

  Napi::Value given(Napi::Env env) const {
    Napi::Array parts = Napi::Array::New(env);
    for (uint32_t what = 0; what < 2; ++what) {
      if (results[what] < 0)
        parts.Set(what, Napi::Number::New(env, -results[what]));
      else
        parts.Set(what, Napi::Buffer<uint8_t>::Copy(env, data[what], size_t(results[what])));
    }
    return parts;
  }
};

Napi::Value readReservationOf(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    if (!info[0].IsString()) badArgument("path");
    auto table = std::make_unique<Table>();
    table->read(info[0].As<Napi::String>().Utf8Value());
    return table->given(info.Env());
  });
}

Napi::Value now(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), double(bootMicros()));
}

}  // namespace

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  exports.Set("Reactor", ReactorObject::define(env));
  exports.Set("GuardianState", GuardianObject::define(env));
  exports.Set("abiTable", Napi::Function::New<abiTable>(env));
  exports.Set("bootId", Napi::Function::New<bootId>(env));
  exports.Set("mapFile", Napi::Function::New<mapFile>(env));
  exports.Set("readPage", Napi::Function::New<readPage>(env));
  exports.Set("lockFile", Napi::Function::New<lockFile>(env));
  exports.Set("changeReservation", Napi::Function::New<changeReservationOf>(env));
  exports.Set("readReservation", Napi::Function::New<readReservationOf>(env));
  exports.Set("crc32c", Napi::Function::New<crcOf>(env));
  exports.Set("siphash128", Napi::Function::New<sipOf>(env));
  exports.Set("nh", Napi::Function::New<nhOf>(env));
  exports.Set("nowMicros", Napi::Function::New<now>(env));
  return exports;
}

}  // namespace understudy

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  return understudy::initialize(env, exports);
}
NODE_API_MODULE(understudy, Init)
