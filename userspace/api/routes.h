#pragma once

#include <string_view>

#include "api/views.h"
#include "http/reply.h"

namespace viaduct::api {

/// Answers a request of the API. The README lists the paths; an unknown one is 404, another method
/// than GET 405.
/// @param target  path, with or without a query, which is ignored.
http::Reply answer(std::string_view method, std::string_view target, const Views& views);

}  // namespace viaduct::api
