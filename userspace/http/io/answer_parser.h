#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <cstddef>
#include <string_view>

#include "http/message.h"

namespace viaduct::http {

/// Reads an answer's head into a Response and shows its body piece by piece, without a copy.
/// Not eager: one piece for each put().
class AnswerParser : public boost::beast::http::basic_parser<false> {
 public:
  /// Status and headers; the body stays empty.
  Response head;
  /// What the last put() found of the body; points into its buffer.
  std::string_view piece;

 private:
  using Code = boost::beast::error_code;
  using Text = boost::beast::string_view;

  void on_request_impl(boost::beast::http::verb, Text, Text, int, Code&) override {}
  void on_response_impl(int status, Text reason, int version, Code& error) override;
  void on_field_impl(boost::beast::http::field, Text name, Text value, Code& error) override;
  void on_header_impl(Code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Code&) override {}
  std::size_t on_body_impl(Text body, Code&) override;
  void on_chunk_header_impl(std::uint64_t, Text, Code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, Text body, Code&) override;
  void on_finish_impl(Code&) override {}

  std::size_t head_bytes_ = 0;
};

}  // namespace viaduct::http
