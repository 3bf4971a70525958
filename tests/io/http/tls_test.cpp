#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <fstream>
#include <optional>

#include "base/time.h"
#include "http/errors.h"
#include "http/io/client.h"
#include "tests/support/certificate.h"
#include "tests/support/coro_server.h"

namespace viaduct::http {
namespace {

using namespace std::chrono_literals;
using test::CoroExchange;
using test::CoroServer;
using testing::HasSubstr;
namespace asio = boost::asio;

class TlsTest : public testing::Test {
 protected:
  base::Result<Response> get(const std::string& url, TlsFiles files) {
    std::optional<base::Result<Response>> result;
    asio::co_spawn(context,
                   request(parse_origin(url).value(), {.target = "/state", .tls = files},
                           {.timeout = 10s, .max_answer_bytes = 1 << 21}),
                   [&](std::exception_ptr thrown, base::Result<Response> answer) {
                     EXPECT_FALSE(thrown);
                     result = std::move(answer);
                   });
    const auto end = base::Clock::now() + 20s;
    while (!result && base::Clock::now() < end) context.run_one_for(50ms);
    return *result;
  }

  /// Why a server with such a certificate is not asked.
  base::Error refusal(const test::Issued& own, TlsFiles files, const std::string& host = "") {
    bool asked = false;
    CoroServer server(context, CoroServer::Tls{own.certificate, own.key},
                      [&](CoroExchange& exchange) -> asio::awaitable<void> {
                        asked = true;
                        co_await exchange.answer(200, "");
                      });
    const std::string url = host.empty()
                                ? server.url()
                                : "https://" + host + ":" + std::to_string(server.endpoint().port);
    const auto response = get(url, files);
    EXPECT_FALSE(asked) << "nothing is sent to a peer that is not trusted";
    EXPECT_FALSE(response);
    if (response) return {{}, "it was asked"};
    EXPECT_THAT(response.error().context, testing::StartsWith("GET " + url + "/state"));
    return response.error();
  }

  static CoroServer::Handler says(std::string what) {
    return [what](CoroExchange& exchange) -> asio::awaitable<void> {
      co_await exchange.answer(200, what + exchange.server_name + exchange.client);
    };
  }

  asio::io_context context{1};
  test::Authority authority{"tls-test"};
  test::Authority stranger{"tls-stranger"};
};

TEST_F(TlsTest, AsksAnAddressAndANameThatTheCertificateHas) {
  const auto own = authority.issue("m", "IP:127.0.0.1,DNS:localhost");
  CoroServer server(context, CoroServer::Tls{own.certificate, own.key}, says("sni:"));
  const auto by_address = get(server.url(), {.ca = authority.ca()});
  ASSERT_TRUE(by_address) << by_address.error().message();
  EXPECT_EQ(by_address->body, "sni:") << "an address is no server name (RFC 6066, 3)";
  const auto by_name =
      get("https://localhost:" + std::to_string(server.endpoint().port), {.ca = authority.ca()});
  ASSERT_TRUE(by_name) << by_name.error().message();
  EXPECT_EQ(by_name->body, "sni:localhost");
}

TEST_F(TlsTest, ReadsALargeAnswerWhole) {
  const auto own = authority.issue("m", "IP:127.0.0.1");
  std::string large;
  for (int i = 0; large.size() < 1'000'000; i++) large += std::to_string(i) + ",";
  CoroServer server(context, CoroServer::Tls{own.certificate, own.key}, says(large));
  const auto response = get(server.url(), {.ca = authority.ca()});
  ASSERT_TRUE(response) << response.error().message();
  EXPECT_EQ(response->body, large);
}

TEST_F(TlsTest, RefusesACertificateThatIsNotTrustedExpiredNotYetValidOrOfAnotherHost) {
  const TlsFiles ours{.ca = authority.ca()};
  const auto of_stranger = refusal(stranger.issue("m", "IP:127.0.0.1"), ours);
  EXPECT_EQ(of_stranger.code, Errc::bad_certificate) << of_stranger.message();
  EXPECT_THAT(of_stranger.context, HasSubstr("unable to get local issuer certificate"));

  const auto expired = refusal(authority.issue("old", "IP:127.0.0.1", -7200, -3600), ours);
  EXPECT_EQ(expired.code, Errc::bad_certificate);
  EXPECT_THAT(expired.context, HasSubstr("certificate has expired"));

  const auto early = refusal(authority.issue("new", "IP:127.0.0.1", 3600, 7200), ours);
  EXPECT_THAT(early.context, HasSubstr("not yet valid"));

  const auto other_address = refusal(authority.issue("a", "IP:192.0.2.1,DNS:localhost"), ours);
  EXPECT_EQ(other_address.code, Errc::bad_certificate);
  EXPECT_THAT(other_address.context, HasSubstr("IP address mismatch"));

  const auto other_name =
      refusal(authority.issue("n", "IP:127.0.0.1,DNS:m.example"), ours, "localhost");
  EXPECT_EQ(other_name.code, Errc::bad_certificate);
  EXPECT_THAT(other_name.context, HasSubstr("ostname mismatch"));
}

TEST_F(TlsTest, TheSystemsCertificatesDoNotTrustOurAuthority) {
  const auto error = refusal(authority.issue("m", "IP:127.0.0.1"), {});
  EXPECT_EQ(error.code, Errc::bad_certificate) << error.message();
}

TEST_F(TlsTest, ShowsItsOwnCertificate) {
  const auto own = authority.issue("m", "IP:127.0.0.1");
  const auto client = authority.issue("viaduct-client", "DNS:node.example");
  CoroServer server(context, CoroServer::Tls{own.certificate, own.key, authority.ca()}, says(""));
  const auto response = get(
      server.url(), {.ca = authority.ca(), .certificate = client.certificate, .key = client.key});
  ASSERT_TRUE(response) << response.error().message();
  EXPECT_EQ(response->body, "viaduct-client");
  const auto without = get(server.url(), {.ca = authority.ca()});
  EXPECT_FALSE(without);
}

TEST_F(TlsTest, FilesThatCannotBeUsedAreNamed) {
  const auto own = authority.issue("m", "IP:127.0.0.1");
  const auto other = authority.issue("o", "IP:127.0.0.1");
  const std::string broken = authority.folder() / "broken.pem";
  std::ofstream(broken) << "no certificate\n";
  const std::pair<TlsFiles, std::string> mistakes[] = {
      {{.ca = "/nowhere/ca.pem"}, "/nowhere/ca.pem"},
      {{.ca = broken}, broken},
      {{.ca = authority.ca(), .certificate = broken, .key = own.key}, broken},
      {{.ca = authority.ca(), .certificate = own.certificate, .key = "/nowhere/key"},
       "/nowhere/key"},
      {{.ca = authority.ca(), .certificate = own.certificate, .key = other.key}, other.key},
  };
  for (const auto& [files, named] : mistakes) {
    const auto error = refusal(own, files);
    EXPECT_EQ(error.code, Errc::bad_tls_files) << error.message();
    EXPECT_THAT(error.context, HasSubstr(named));
  }
}

TEST_F(TlsTest, APeerWithoutTlsIsAnErrorAndNoWait) {
  asio::ip::tcp::acceptor talker(context, {asio::ip::address_v4::loopback(), 0});
  asio::ip::tcp::socket peer(context);
  talker.async_accept(peer, [&](boost::system::error_code) {
    boost::system::error_code ignored;
    asio::write(peer, asio::buffer("HTTP/1.1 400 Bad Request\r\n\r\n", 28), ignored);
  });
  const auto error =
      get("https://127.0.0.1:" + std::to_string(talker.local_endpoint().port()), {}).error();
  EXPECT_EQ(error.code, Errc::tls_failed) << error.message();
}

TEST_F(TlsTest, AnAnswerThatIsCutOffWithinTlsIsNotWhole) {
  const auto own = authority.issue("m", "IP:127.0.0.1");
  CoroServer server(context, CoroServer::Tls{own.certificate, own.key},
                    [](CoroExchange& exchange) -> asio::awaitable<void> {
                      // Without a length the end of the connection would be the end of the body.
                      co_await exchange.send("HTTP/1.1 200 OK\r\n\r\nhalf of it");
                    });
  const auto response = get(server.url(), {.ca = authority.ca()});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Errc::cut_off);
}

}  // namespace
}  // namespace viaduct::http
