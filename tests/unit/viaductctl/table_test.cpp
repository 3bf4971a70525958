#include "tools/viaductctl/table.h"

#include <gtest/gtest.h>

namespace viaduct::ctl {
namespace {

TEST(Table, AlignsTextLeftAndNumbersRightWithoutBlanksAtTheEnd) {
  Table table({{"NAME"}, {"OPEN", Table::Align::right}, {"NOTE"}});
  table.add({"a", "7", ""});
  table.add({"longer", "12345", "x"});
  EXPECT_EQ(table.text(),
            "NAME     OPEN  NOTE\n"
            "a           7  -\n"
            "longer  12345  x\n");
}

TEST(Table, LeavesOutAColumnThatSaysNothing) {
  Table table({{"NAME"}, {"NOTE"}, {"PICK"}});
  table.add({"a", "", "random"});
  EXPECT_EQ(table.text("  "), "  NAME  PICK\n  a     random\n");
}

TEST(Table, CountsCharactersNotOctets) {
  Table table({{"NAME"}, {"X"}});
  table.add({"\u00e4\u00f6", "1"});
  table.add({"abc", "2"});
  EXPECT_EQ(table.text(), "NAME  X\n\u00e4\u00f6    1\nabc   2\n");
}

TEST(Table, TaskNamesCannotSendControlCharactersToTheTerminal) {
  Table table({{"TASK"}});
  table.add({"a\x1b[2J\nb"});
  EXPECT_EQ(table.text(), "TASK\na?[2J?b\n");
}

}  // namespace
}  // namespace viaduct::ctl
