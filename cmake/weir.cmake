# The few words our CMakeLists.txt files are written in.

# A vendor library, found by pkg-config or, where the distribution ships no .pc file, by header and name. Gives the
# target dep_NAME. Headers and libraries under .deps/ come first. FOLDER: where the distribution puts the header below include/.
function(weir_dependency name header)
  cmake_parse_arguments(ARG "" "LIBRARY;FOLDER" "" ${ARGN})
  if(NOT ARG_LIBRARY)
    set(ARG_LIBRARY ${name})
  endif()
  find_path(${name}_INCLUDE ${header} HINTS ${DEPS}/usr/include PATH_SUFFIXES ${ARG_FOLDER})
  find_library(${name}_LIBRARY ${ARG_LIBRARY} HINTS ${DEPS}/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE} ${DEPS}/usr/lib)
  if(NOT ${name}_INCLUDE OR NOT ${name}_LIBRARY)
    message(FATAL_ERROR "${name} (${header}) was not found: run tools/setup")
  endif()
  add_library(dep_${name} INTERFACE)
  target_include_directories(dep_${name} SYSTEM INTERFACE ${${name}_INCLUDE})
  target_link_libraries(dep_${name} INTERFACE ${${name}_LIBRARY})
endfunction()

# Installs a library that came from .deps/ beside ours; one of the system stays where it is.
function(weir_install_private name)
  string(FIND "${${name}_LIBRARY}" "${DEPS}/" found)
  if(found EQUAL 0)
    file(REAL_PATH ${${name}_LIBRARY} real)
    execute_process(COMMAND ${CMAKE_OBJDUMP} -p ${real} OUTPUT_VARIABLE headers)
    string(REGEX MATCH "SONAME +([^ \n]+)" line "${headers}")
    install(FILES ${real} DESTINATION ${CMAKE_INSTALL_LIBDIR}/weir RENAME ${CMAKE_MATCH_1}
            COMPONENT schema)
  endif()
endfunction()

# A room: a folder of src/ as a static library. DEPENDS names rooms below it, VENDORS the libraries it is the door to,
# SQL the .sql files to embed (as `extern const char sql_<name>[]`, name = path with _ for / and . cut off).
function(weir_room name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;VENDORS;SQL" ${ARGN})
  foreach(sql ${ARG_SQL})
    string(REGEX REPLACE "\\.sql$" "" symbol ${sql})
    string(REPLACE "/" "_" symbol ${symbol})
    weir_embed(${CMAKE_CURRENT_SOURCE_DIR}/${sql} ${symbol} generated)
    list(APPEND ARG_SOURCES ${generated})
  endforeach()
  add_library(room_${name} STATIC ${ARG_SOURCES})
  foreach(room ${ARG_DEPENDS})
    target_link_libraries(room_${name} PUBLIC room_${room})
  endforeach()
  foreach(vendor ${ARG_VENDORS})
    target_link_libraries(room_${name} PRIVATE dep_${vendor})
  endforeach()
  target_link_libraries(room_${name} PUBLIC Threads::Threads)
  set_property(GLOBAL APPEND PROPERTY WEIR_ROOMS ${name})
endfunction()

# Turns a text file into a C string constant.
function(weir_embed file symbol out)
  set(generated ${CMAKE_CURRENT_BINARY_DIR}/${symbol}.embed.c)
  add_custom_command(OUTPUT ${generated}
    COMMAND ${CMAKE_COMMAND} -DFILE=${file} -DSYMBOL=${symbol} -DOUT=${generated} -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS ${file} ${PROJECT_SOURCE_DIR}/cmake/embed.cmake VERBATIM)
  set(${out} ${generated} PARENT_SCOPE)
endfunction()

# libweir.so of all rooms; only what is marked WEIR_EXPORT is visible.
function(weir_library)
  get_property(rooms GLOBAL PROPERTY WEIR_ROOMS)
  file(WRITE ${PROJECT_BINARY_DIR}/empty.c "")
  add_library(weir SHARED ${PROJECT_BINARY_DIR}/empty.c)
  set_target_properties(weir PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0
                        LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
  target_link_options(weir PRIVATE -Wl,-z,defs)
  if(WEIR_SANITIZE)
    target_link_options(weir PRIVATE -Wl,-z,undefs)
  endif()
  foreach(room ${rooms})
    target_link_libraries(weir PRIVATE -Wl,--whole-archive $<TARGET_FILE:room_${room}> -Wl,--no-whole-archive)
    add_dependencies(weir room_${room})
  endforeach()
  foreach(room ${rooms})
    target_link_libraries(weir PRIVATE room_${room})
  endforeach()
  install(TARGETS weir LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/weir DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  configure_file(${PROJECT_SOURCE_DIR}/cmake/weir.pc.in ${PROJECT_BINARY_DIR}/weir.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/weir.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

# libweir-schema.so: the room `schema` for those who want nothing else. Only what its public functions need is in it, and
# only what that needs is linked: no NATS, no database, no YAML, no TLS. `cmake --install build --component schema`
# installs it alone.
function(weir_schema_library)
  add_library(weir_schema SHARED ${PROJECT_BINARY_DIR}/empty.c)
  set_target_properties(weir_schema PROPERTIES OUTPUT_NAME weir-schema VERSION ${PROJECT_VERSION} SOVERSION 0
                        LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}
                        LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/weir-schema.map)
  target_link_options(weir_schema PRIVATE -Wl,--as-needed -Wl,-u,weir_schema_compile
                      -Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/weir-schema.map -Wl,-z,defs)
  if(WEIR_SANITIZE)
    target_link_options(weir_schema PRIVATE -Wl,-z,undefs)
  endif()
  target_link_libraries(weir_schema PRIVATE room_schema)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/weir-schema.pc.in ${PROJECT_BINARY_DIR}/weir-schema.pc @ONLY)
  install(TARGETS weir_schema LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT schema)
  install(FILES ${PROJECT_BINARY_DIR}/weir-schema.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT schema)
  install(FILES include/weir/schema.h include/weir/error.h include/weir/text.h
          DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/weir COMPONENT schema)
endfunction()

# A test program. Its first lines name the rooms it needs (`/* rooms: base json */`) and its cases stand in a table of
# rows `    {"a sentence", function},`: each becomes a ctest case "<program>: <sentence>", so one can be run by name.
# `/* sources: examples/x.c */` adds files from outside the rooms.
function(weir_test source)
  get_filename_component(name ${source} NAME_WE)
  file(STRINGS ${source} header REGEX "^/\\* rooms: .*\\*/$" LIMIT_COUNT 1)
  string(REGEX REPLACE "^/\\* rooms: (.*) \\*/$" "\\1" rooms "${header}")
  string(REPLACE " " ";" rooms "${rooms}")
  file(STRINGS ${source} extra REGEX "^/\\* sources: .*\\*/$" LIMIT_COUNT 1)
  string(REGEX REPLACE "^/\\* sources: (.*) \\*/$" "\\1" extra "${extra}")
  string(REPLACE " " ";" extra "${extra}")
  list(TRANSFORM extra PREPEND ${PROJECT_SOURCE_DIR}/)
  add_executable(${name} ${source} ${extra} ${ARGN})
  target_link_libraries(${name} PRIVATE kit)
  if(extra)
    target_link_libraries(${name} PRIVATE dep_sqlite3 dep_crypto)
  endif()
  foreach(room ${rooms})
    target_link_libraries(${name} PRIVATE room_${room})
  endforeach()
  if(TARGET weir_program AND name MATCHES "_scenario$")
    add_dependencies(${name} weir_program weir_schema) # scenarios run build/weir as a user would
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
  file(READ ${source} text)
  string(FIND "${text}" "struct spec specs[]" table)
  string(SUBSTRING "${text}" ${table} -1 text)
  string(REGEX MATCHALL "\n    {\"[^\"\n]+\"," cases "${text}")
  foreach(case ${cases})
    string(REGEX REPLACE "^\n    {\"([^\"]+)\",$" "\\1" sentence "${case}")
    add_test(NAME "${name}: ${sentence}" COMMAND ${name} ${sentence})
    set_tests_properties("${name}: ${sentence}" PROPERTIES ENVIRONMENT
      "WEIR_SOURCE=${PROJECT_SOURCE_DIR};WEIR_BUILD=${PROJECT_BINARY_DIR};ASAN_OPTIONS=detect_leaks=1:abort_on_error=0;UBSAN_OPTIONS=print_stacktrace=1;TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tools/tsan.supp;LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tools/lsan.supp")
  endforeach()
endfunction()
