find_package(CLI11 QUIET)
if(NOT TARGET CLI11::CLI11)
  scry_missing(CLI11 libcli11-dev)
endif()
