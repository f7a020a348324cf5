find_package(ZLIB QUIET)
if(NOT TARGET ZLIB::ZLIB)
  scry_missing(zlib zlib1g-dev)
endif()
