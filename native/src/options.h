// What a caller in JavaScript hands over, turned into ours: checked here, and nowhere behind.
#pragma once
#include <napi.h>

#include <optional>
#include <string>
#include <vector>

#include "reactor.h"

namespace understudy {

/// Bytes of data of one replica, at most.
constexpr uint64_t kSizeMax = uint64_t{64} << 40;

/// Throws Failure ARGUMENT_INVALID, as all of these do.
[[noreturn]] void badArgument(const std::string& name);
/// A whole number from 0 to `most`.
uint64_t integer(const Napi::Object& from, const char* name, uint64_t most,
                 std::optional<uint64_t> otherwise = {});
std::string text(const Napi::Object& from, const char* name,
                 std::optional<std::string> otherwise = {});
std::vector<uint8_t> octets(const Napi::Value& value, const char* name);
ReactorOptions optionsFrom(const Napi::Object& from);
/// What became of each spill, for JavaScript.
Napi::Array spillList(Napi::Env env, const std::vector<SpillStatus>& spills);

}  // namespace understudy
