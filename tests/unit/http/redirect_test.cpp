#include "http/redirect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/errors.h"

namespace viaduct::http {
namespace {

using testing::HasSubstr;

Place place(const std::string& origin, const std::string& target) {
  return {parse_origin(origin).value(), target};
}

const Place kAsked = place("http://192.0.2.12:5050", "/api/v1");

TEST(Redirect, FollowsWhatAMesosMasterSays) {
  EXPECT_EQ(redirected(kAsked, "//192.0.2.11:5050/master/api/v1").value(),
            place("http://192.0.2.11:5050", "/master/api/v1"));
  EXPECT_EQ(redirected(kAsked, "//192.0.2.11:5050").value(),
            place("http://192.0.2.11:5050", "/api/v1"))
      << "without a path the request's own stays";
  EXPECT_EQ(redirected(kAsked, "//one.master.example:5050/x?y=1#z").value(),
            place("http://one.master.example:5050", "/x?y=1"));
  EXPECT_EQ(redirected(kAsked, "//[2001:db8::1]:5050/x").value(),
            place("http://[2001:db8::1]:5050", "/x"));
}

TEST(Redirect, TheSchemeStaysUnlessTheLocationHasOne) {
  const Place tls = place("https://192.0.2.12:5050", "/api/v1");
  EXPECT_EQ(redirected(tls, "//192.0.2.11:5050/x").value(), place("https://192.0.2.11:5050", "/x"));
  EXPECT_EQ(redirected(tls, "//192.0.2.11/x").value(), place("https://192.0.2.11:443", "/x"));
  EXPECT_EQ(redirected(kAsked, "https://192.0.2.11/x").value(),
            place("https://192.0.2.11:443", "/x"));
  EXPECT_EQ(redirected(kAsked, "http://192.0.2.11?q").value(),
            place("http://192.0.2.11:80", "/?q"));
}

TEST(Redirect, APathAloneStaysWithTheHost) {
  EXPECT_EQ(redirected(kAsked, "/master/api/v1").value(),
            place("http://192.0.2.12:5050", "/master/api/v1"));
  EXPECT_EQ(redirected(place("unix:/run/x.sock", "/a"), "/b").value(),
            place("unix:/run/x.sock", "/b"));
}

TEST(Redirect, RefusesWhatItCannotFollowSafely) {
  const std::pair<Place, std::string> refused[] = {
      {kAsked, ""},
      {kAsked, "api/v1"},
      {kAsked, "ftp://192.0.2.11/x"},
      {kAsked, "//"},
      {kAsked, "///etc"},
      {kAsked, "//user:secret@192.0.2.11:5050/x"},
      {kAsked, "//192.0.2.11:99999/x"},
      {kAsked, "//192.0.2.11:5050/a b"},
      {kAsked, "/a\r\nX-Other: b"},
      {kAsked, "/" + std::string(kMaxLocationBytes, 'x')},
      {place("https://192.0.2.12:5050", "/x"), "http://192.0.2.12:5050/x"},
      {place("unix:/run/x.sock", "/x"), "//192.0.2.12:5050/x"},
  };
  for (const auto& [from, location] : refused) {
    const auto to = redirected(from, location);
    ASSERT_FALSE(to) << location;
    EXPECT_EQ(to.error().code, Errc::bad_redirect) << location;
    EXPECT_THAT(to.error().context, HasSubstr(from.to_string()));
  }
}

TEST(RedirectTrail, LoopsAreErrors) {
  RedirectTrail trail(kAsked);
  ASSERT_TRUE(trail.follow("//192.0.2.11:5050/master/api/v1"));
  ASSERT_TRUE(trail.follow("//192.0.2.12:5050/master/api/v1"));
  const auto back = trail.follow("//192.0.2.11:5050/master/api/v1");
  ASSERT_FALSE(back);
  EXPECT_THAT(back.error().message(), HasSubstr("a loop"));
  EXPECT_FALSE(RedirectTrail(kAsked).follow("/api/v1")) << "to itself";
}

TEST(RedirectTrail, EndsAfterFive) {
  RedirectTrail trail(kAsked);
  for (int i = 0; i < 5; i++) ASSERT_TRUE(trail.follow("/" + std::to_string(i)));
  EXPECT_EQ(trail.redirects(), kMaxRedirects);
  const auto sixth = trail.follow("/6");
  ASSERT_FALSE(sixth);
  EXPECT_THAT(sixth.error().message(), HasSubstr("after 5 redirects"));
}

TEST(Redirect, OnlyThoseThatKeepTheMethodAreFollowed) {
  EXPECT_TRUE(is_redirect(307));
  EXPECT_TRUE(is_redirect(308));
  for (const unsigned status : {200u, 301u, 302u, 303u, 304u, 404u})
    EXPECT_FALSE(is_redirect(status));
}

}  // namespace
}  // namespace viaduct::http
