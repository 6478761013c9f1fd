# FILE -> OUT: `const char SYMBOL[]` with a closing NUL, and its size without it.
file(READ ${FILE} hex HEX)
string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
string(MAKE_C_IDENTIFIER ${SYMBOL} name)
get_filename_component(file ${FILE} NAME)
file(WRITE ${OUT} "/* made from ${file} by the build */\n#include <stddef.h>\nextern const char ${name}[];\nextern const size_t ${name}_size;\nconst char ${name}[] = {\n${bytes}0};\nconst size_t ${name}_size = sizeof ${name} - 1;\n")
