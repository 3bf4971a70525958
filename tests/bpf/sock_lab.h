// SPDX-License-Identifier: Apache-2.0
// Real sockets in the lab's network namespace and cgroup, with every sock_lb program attached to
// that cgroup.
#pragma once

#include <bpf/libbpf.h>
#include <gtest/gtest.h>
#include <sock_lb.skel.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "tests/bpf/lab.h"
#include "tests/bpf/maps.h"
#include "tests/bpf/sockets.h"

namespace viaduct::bpftest {

// Listens on a port of the kernel's choice.
class Server {
 public:
  Server(const std::string& address, int type)
      : address_(address), socket_(SockAddr(address, 0).family(), type) {
    const SockAddr at(address, 0);
    EXPECT_EQ(socket_.bind(at), 0);
    if (type == SOCK_STREAM) {
      EXPECT_EQ(listen(socket_.fd(), 1024), 0);
    }
    port_ = socket_.local().port();
  }
  BackendSpec spec(std::uint16_t weight = 1) const { return {address_, port_, weight}; }
  std::string text() const { return address_ + " " + std::to_string(port_); }
  // The client's address as the backend sees it.
  std::string accept_one() {
    const auto [connection, from] = socket_.accept();
    return connection.fd() < 0 ? "error " + std::to_string(errno) : from.text();
  }
  // Answers one datagram with "re: " and its data.
  std::string answer_one() {
    auto [data, from] = socket_.receive();
    EXPECT_EQ(socket_.send_to("re: " + data, from), 0);
    return data;
  }
  bool has_datagram() {
    char byte;
    return recv(socket_.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
  }

 private:
  std::string address_;
  Socket socket_;
  std::uint16_t port_ = 0;
};

class SockLb : public ::testing::Test {
 protected:
  void SetUp() override {
    VD_REQUIRE_PRIVILEGE();
    skeleton_ = sock_lb__open();
    ASSERT_NE(skeleton_, nullptr);
    configure();
    unpin_maps(skeleton_->obj);
    ASSERT_EQ(sock_lb__load(skeleton_), 0);
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, skeleton_->obj) {
      bpf_link* link = bpf_program__attach_cgroup(program, cgroup_fd());
      ASSERT_NE(link, nullptr) << bpf_program__name(program);
      links_.emplace_back(link);
    }
    maps_ = std::make_unique<Maps>(skeleton_->obj);
  }
  void TearDown() override {
    links_.clear();
    sock_lb__destroy(skeleton_);
  }
  virtual void configure() {}

  Maps& maps() { return *maps_; }
  std::uint32_t open_count(std::uint32_t backend) { return maps_->load(backend).open; }

  struct Detach {
    void operator()(bpf_link* link) const { bpf_link__destroy(link); }
  };
  sock_lb* skeleton_ = nullptr;
  std::vector<std::unique_ptr<bpf_link, Detach>> links_;
  std::unique_ptr<Maps> maps_;
};

}  // namespace viaduct::bpftest
