// Every constant of abi.h by its TypeScript name, so that a test can compare the two tables.
#pragma once
#include <napi.h>

namespace understudy {

Napi::Value abiTable(const Napi::CallbackInfo& info);

}  // namespace understudy
