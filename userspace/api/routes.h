#pragma once

#include <string_view>

#include "api/commands.h"
#include "api/views.h"
#include "http/reply.h"

namespace viaduct::api {

/// Answers a request of the API. The README lists the paths; an unknown one is 404, another method
/// than the path's 405.
/// @param target  path and query; only commands read the query.
/// @param commands  null: only reading is allowed, commands are 403.
http::Reply answer(std::string_view method, std::string_view target, const Views& views,
                   const Commands* commands = nullptr);

}  // namespace viaduct::api
