#include "tests/support/mesos_state_rows.h"

#include <iostream>
#include <memory>
#include <utility>
#include <vector>

#include "mesos/master_state.h"

namespace viaduct::test {
namespace {

template <class Element, class Row>
std::vector<std::shared_ptr<const Element>> of_master(const std::vector<Row>& rows) {
  std::vector<std::shared_ptr<const Element>> elements;
  for (const Row& row : rows) elements.push_back(std::make_shared<const Element>(Element{row, ""}));
  return elements;
}

}  // namespace

service::MasterView view_of_state(std::string_view words, std::span<const base::Endpoint> masters) {
  mesos::MasterState state;
  if (const auto read = state.on_state(words, base::Time{}); !read)
    std::cerr << read.error().message() << "\n";
  state.on_masters({{masters.begin(), masters.end()}, state.named_leader()});
  for (const std::string& host : state.hosts())
    if (host == "localhost") state.on_resolved(host, {base::Address::v4(0x7f000001)});
  for (const service::RejectedRow& row : state.rejected())
    std::cerr << row.where << ": " << row.reason << "\n";
  const service::MasterChange all = state.all();
  return {true, of_master<service::Task>(all.tasks_added),
          of_master<service::MesosProcess>(all.added)};
}

}  // namespace viaduct::test
