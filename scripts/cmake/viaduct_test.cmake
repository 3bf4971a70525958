# viaduct_gtest(unit_base LABEL unit SOURCES a_test.cpp ... LINK viaduct::base ...) makes one GoogleTest binary
# in build/bin/tests and one ctest entry for it. LABEL is one label or a list, "io;threads"; the target tests_<label>
# builds all binaries of a label.
foreach(label unit io fuzz threads bpf sim)
  add_custom_target(tests_${label})
endforeach()

function(viaduct_gtest name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "LABEL;TIMEOUT" "SOURCES;LINK")  # keeps a list within LABEL whole
  add_executable(${name} ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin/tests)
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gmock GTest::gtest_main)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  # What is tested is optimised as its preset says; tests are not, for that takes most of compiling them.
  if(NOT "sim" IN_LIST ARG_LABEL)
    target_compile_options(${name} PRIVATE -O0)
  endif()
  # GoogleTest's headers take longer to read than most tests. A compiler cache does without them, and cannot do with.
  list(LENGTH ARG_SOURCES sources)
  if(NOT VIADUCT_CCACHE AND sources GREATER 2)
    target_precompile_headers(${name} PRIVATE <gmock/gmock.h>)
  endif()
  target_compile_definitions(${name} PRIVATE VIADUCT_TEST_DATA="${CMAKE_SOURCE_DIR}/tests/data")
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABEL}" TIMEOUT ${ARG_TIMEOUT})
  foreach(label ${ARG_LABEL})
    if(TARGET tests_${label})
      add_dependencies(tests_${label} ${name})
    endif()
  endforeach()
endfunction()
