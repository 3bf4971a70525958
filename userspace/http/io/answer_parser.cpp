#include "http/io/answer_parser.h"

#include <boost/beast/http/error.hpp>
#include <string>

#include "http/io/client.h"

namespace viaduct::http {

void AnswerParser::on_response_impl(int status, Text, int, Code&) {
  head.status = static_cast<unsigned>(status);
}

void AnswerParser::on_field_impl(boost::beast::http::field, Text name, Text value, Code& error) {
  head_bytes_ += name.size() + value.size();
  if (head_bytes_ > kMaxAnswerHeadBytes) {
    error = boost::beast::http::error::header_limit;
    return;
  }
  head.headers.emplace_back(std::string(name), std::string(value));
}

std::size_t AnswerParser::on_body_impl(Text body, Code&) {
  piece = {body.data(), body.size()};
  return body.size();
}

std::size_t AnswerParser::on_chunk_body_impl(std::uint64_t, Text body, Code&) {
  piece = {body.data(), body.size()};
  return body.size();
}

}  // namespace viaduct::http
