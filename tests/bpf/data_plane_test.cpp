#include "dataplane/io/data_plane.h"

#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <unistd.h>

#include <filesystem>
#include <random>

#include "dataplane/io/bpffs.h"
#include "dataplane/io/host_device.h"
#include "dataplane/plan.h"
#include "service/local_table.h"
#include "service/snapshot.h"
#include "tests/bpf/lab.h"

namespace viaduct::dataplane {
namespace {

std::string cgroup_path() {
  return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(bpftest::cgroup_fd()))
      .string();
}

/// A data plane in the lab's namespace with pins of its own; restart() is a new process's view.
class OnThisKernel : public testing::Test {
 protected:
  void SetUp() override {
    VD_REQUIRE_PRIVILEGE();
    config_.bpffs =
        "/sys/fs/bpf/viaduct-test-" + std::to_string(getpid()) + "-" + std::to_string(counter_++);
    config_.cgroup = cgroup_path();
    config_.container_links = {"none*"};
    config_.max_services = 256;
    config_.max_backends = 1024;
    config_.max_slot_lines = 8192;
    config_.max_flows = config_.max_new_flows = 256;
    restart();
  }

  void TearDown() override {
    plane_.reset();
    std::error_code ignored;
    if (!config_.bpffs.empty()) std::filesystem::remove_all(config_.bpffs, ignored);
  }

  void restart() {
    plane_.reset();
    auto started = DataPlane::start(config_, {});
    ASSERT_TRUE(started) << started.error().message();
    plane_ = std::make_unique<DataPlane>(std::move(*started));
  }

  void show(const std::shared_ptr<const service::Snapshot>& snapshot) {
    now_ += std::chrono::seconds(1);
    const auto done = plane_->apply(snapshot, now_);
    ASSERT_TRUE(done) << done.error().message();
  }

  /// What the kernel's maps hold, read by a stranger.
  std::map<service::VipKey, ServiceView> held() const {
    auto maps = Maps::open(config_.bpffs, Access::read);
    EXPECT_TRUE(maps) << maps.error().message();
    return view(*maps->read(), maps->slots());
  }

  std::set<base::Address> routes() const { return *read_routes({if_nametoindex("viaduct0"), ""}); }

  Config config_;
  base::Time now_{};
  std::unique_ptr<DataPlane> plane_;
  static inline int counter_ = 0;
};

std::shared_ptr<const service::Snapshot> snapshot_of(std::vector<service::BackendRow> rows) {
  service::LocalTable table;
  service::SourceRows source;
  source.rows = std::move(rows);
  table.replace("test", std::move(source), base::Time{});
  return service::merge(table, {}, nullptr);
}

service::BackendRow row(unsigned vip, unsigned host, std::uint16_t weight = 1, bool v6 = false) {
  if (!v6)
    return {base::Address::v4(0xc6336400U + vip),
            80,
            base::Protocol::tcp,
            {base::Address::v4(0xc0000200U + host), 8080},
            weight,
            {},
            "t"};
  std::array<std::uint8_t, 16> octets{0x20, 0x01, 0x0d, 0xb8};
  octets[15] = static_cast<std::uint8_t>(vip);
  std::array<std::uint8_t, 16> backend = octets;
  backend[14] = 1;
  backend[15] = static_cast<std::uint8_t>(host);
  return {base::Address::v6(octets),
          80,
          base::Protocol::udp,
          {base::Address::v6(backend), 8080},
          weight,
          {},
          "t"};
}

std::shared_ptr<const service::Snapshot> random_snapshot(std::mt19937& random) {
  std::vector<service::BackendRow> rows;
  for (unsigned i = 0, count = static_cast<unsigned>(random() % 40); i < count; i++)
    rows.push_back(row(static_cast<unsigned>(random() % 12),
                       static_cast<unsigned>(random() % 30 + 1),
                       static_cast<std::uint16_t>(random() % 3), random() % 3 == 0));
  return snapshot_of(std::move(rows));
}

std::set<base::Address> addresses(const service::Snapshot& snapshot) {
  std::set<base::Address> all;
  for (const auto& service : snapshot.services) all.insert(service->key.address);
  return all;
}

TEST_F(OnThisKernel, AnySequenceOfSnapshotsLeavesTheMapsLikeAFreshWriteOfTheLast) {
  for (unsigned seed = 1; seed <= 4; seed++) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    std::shared_ptr<const service::Snapshot> last;
    for (int step = 0; step < 15; step++) {
      last = random_snapshot(random);
      if (step % 7 == 6) restart();
      show(last);
    }
    const auto after_many = held();
    EXPECT_EQ(routes(), addresses(*last));
    const std::string used = std::exchange(config_.bpffs, config_.bpffs + "-fresh");
    restart();
    show(last);
    EXPECT_EQ(after_many, held());
    plane_.reset();
    std::filesystem::remove_all(config_.bpffs);
    config_.bpffs = used;
    restart();
  }
}

TEST_F(OnThisKernel, ARestartTakesOverWhatIsThereAndWritesNothing) {
  const auto snapshot = snapshot_of({row(1, 1), row(1, 2), row(2, 3, 1, true)});
  show(snapshot);
  const auto before = held();
  restart();
  EXPECT_EQ(held(), before) << "the new process has no snapshot yet: everything stays";
  show(snapshot);
  EXPECT_EQ(plane_->status().writes, 0u);
  EXPECT_EQ(held(), before);
}

TEST_F(OnThisKernel, ForeignEditsAreRepaired) {
  const auto snapshot = snapshot_of({row(1, 1), row(1, 2), row(2, 3)});
  show(snapshot);
  const auto before = held();
  auto stranger = Maps::open(config_.bpffs, Access::write);
  ASSERT_TRUE(stranger);
  ASSERT_TRUE(stranger->write(DropService{before.begin()->first}));
  ASSERT_TRUE(stranger->write(PutSlots{0, lb::Table(300, 77)}));
  ASSERT_TRUE(remove_routes({if_nametoindex("viaduct0"), ""}, addresses(*snapshot)));
  EXPECT_NE(held(), before);
  const auto done = plane_->reconcile(now_);
  ASSERT_TRUE(done) << done.error().message();
  EXPECT_EQ(held(), before);
  EXPECT_EQ(routes(), addresses(*snapshot));
  EXPECT_GT(plane_->status().repairs, 0u);
}

TEST_F(OnThisKernel, AnIncompleteSnapshotKeepsRoutesAndServices) {
  show(snapshot_of({row(1, 1), row(2, 2)}));
  auto incomplete = std::make_shared<service::Snapshot>(*snapshot_of({row(3, 3)}));
  incomplete->complete = false;
  restart();
  show(incomplete);
  EXPECT_EQ(held().size(), 3u);
  EXPECT_EQ(routes().size(), 3u);
}

TEST_F(OnThisKernel, AServiceThatTheKernelRefusesLeavesNothingBehindAndComesWhenThereIsRoom) {
  plane_.reset();
  std::filesystem::remove_all(config_.bpffs);
  config_.max_services = 16;
  restart();
  std::vector<service::BackendRow> rows;
  for (unsigned vip = 0; vip < 20; vip++) rows.push_back(row(vip, vip + 1));
  show(snapshot_of(rows));
  EXPECT_EQ(held().size(), 16u);
  EXPECT_EQ(plane_->status().problems.size(), 4u);
  EXPECT_EQ(plane_->image().backends.size(), 16u);
  rows.erase(rows.begin(), rows.begin() + 6);
  show(snapshot_of(rows));
  show(snapshot_of(rows));
  EXPECT_EQ(held().size(), 14u);
  EXPECT_TRUE(plane_->status().problems.empty());
  EXPECT_EQ(Maps::open(config_.bpffs, Access::read)->read()->backends.size(), 14u);
}

TEST_F(OnThisKernel, OneDaemonOnlyWritesAFolder) {
  const auto second = DataPlane::start(config_, {});
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message().find("another daemon"), std::string::npos)
      << second.error().message();
}

TEST_F(OnThisKernel, AFolderOutsideOfABpfFileSystemIsRefused) {
  const auto lock = claim_bpffs("/tmp/viaduct-test-" + std::to_string(getpid()));
  std::filesystem::remove_all("/tmp/viaduct-test-" + std::to_string(getpid()));
  ASSERT_FALSE(lock);
  EXPECT_NE(lock.error().message().find("dataplane.bpffs"), std::string::npos);
}

TEST_F(OnThisKernel, ASizeThatChangesInTheConfigurationDoesNotLoseTheMaps) {
  const auto snapshot = snapshot_of({row(1, 1)});
  show(snapshot);
  config_.max_services = 512;
  restart();
  EXPECT_EQ(held().size(), 1u);
  EXPECT_EQ(plane_->maps().capacity().services, 256u);
}

}  // namespace
}  // namespace viaduct::dataplane
