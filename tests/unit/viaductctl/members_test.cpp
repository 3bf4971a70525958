#include "tools/viaductctl/members.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>

namespace viaduct::ctl {
namespace {

using testing::HasSubstr;
using testing::Not;

json::value cluster() {
  return json::parse(R"({
    "enabled": true, "problem": "", "listen": "192.0.2.1:7946", "encrypted": true, "keys": ["aa", "bb"], "label": "",
    "health": 0, "left": false, "publish_error": "",
    "members": [
      {"name": "node1", "endpoint": "192.0.2.1:7946", "state": "alive", "mask": "", "incarnation": 3, "viaduct": true,
       "since_s": 60, "heard_ms": null, "accusers": 0, "dies_in_ms": 0, "version": "0.1.0", "keys": ["aa", "bb"],
       "epoch": 2, "seq": 7, "lag": 0, "rows": 4, "rows_age_s": 9, "restored": false, "cloned": false},
      {"name": "node2", "endpoint": "192.0.2.2:7946", "state": "suspect", "mask": "suspect", "incarnation": 1,
       "viaduct": true, "since_s": 1, "heard_ms": 2500, "accusers": 2, "dies_in_ms": 3000, "version": "0.1.0",
       "keys": ["aa"], "epoch": 1, "seq": 5, "lag": 2, "rows": 1, "rows_age_s": 90, "restored": true, "cloned": false},
      {"name": "serf", "endpoint": "192.0.2.3:7946", "state": "alive", "mask": "", "incarnation": 1, "viaduct": false,
       "since_s": 5, "heard_ms": 100, "accusers": 0, "dies_in_ms": 0, "version": "", "keys": [], "epoch": 0, "seq": 0,
       "lag": 0, "rows": 0, "rows_age_s": 0, "restored": false, "cloned": false}],
    "rejected": [{"where": "node2: tcp 203.0.113.1:80", "reason": "the backend's address is not allowed"}]})");
}

TEST(Members, ALineSaysAllThatMattersAtNight) {
  const std::string text = members_text(cluster());
  EXPECT_THAT(text, HasSubstr("listens on 192.0.2.1:7946, encrypted"));
  EXPECT_THAT(text, HasSubstr("suspect: 2 accusers, dead in 3 s, no new connections"));
  EXPECT_THAT(text, HasSubstr("1.5, 2 behind"));
  EXPECT_THAT(text, HasSubstr("1 (from 90 s ago)"));
  EXPECT_THAT(text, HasSubstr("rejected node2: tcp 203.0.113.1:80: the backend's address"));
}

TEST(Members, PlainTextAndTwoNodesOfOneNameAreLoud) {
  json::value document = cluster();
  document.at("encrypted") = false;
  document.at("members").at(1).at("cloned") = true;
  const std::string text = members_text(document);
  EXPECT_THAT(text, HasSubstr("NOT ENCRYPTED"));
  EXPECT_THAT(text, HasSubstr("TWO NODES OF THIS NAME"));
}

TEST(Members, WithoutAClusterItSaysWhy) {
  json::value document = cluster();
  document.at("enabled") = false;
  EXPECT_THAT(members_text(document), HasSubstr("gossip.enabled is false"));
  document.at("problem") = "no key";
  EXPECT_THAT(members_text(document), HasSubstr("gossip does not run: no key"));
}

TEST(Members, WhatANodeSaysCannotTouchTheTerminal) {
  json::value document = cluster();
  document.at("rejected").at(0).at("reason") = "\x1b[2J";
  EXPECT_THAT(members_text(document), Not(HasSubstr("\x1b")));
}

TEST(Keys, EachShowsWhoHasItAndWhoLacksIt) {
  json::value document = cluster();
  document.at("members").at(1).at("state") = "alive";
  EXPECT_EQ(keys_json(document), json::parse(R"([
    {"id": "aa", "here": true, "primary": true, "nodes": ["node1", "node2"], "used_by": ["node1", "node2"], "lacking": []},
    {"id": "bb", "here": true, "primary": false, "nodes": ["node1"], "used_by": [], "lacking": ["node2"]}])"));
  EXPECT_THAT(keys_text(document), HasSubstr("encrypts with it"));
}

}  // namespace
}  // namespace viaduct::ctl
