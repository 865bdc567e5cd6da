# Compilers with function effects are told which calls may block: in a nonblocking function clang warns of
# those, and of no other. The header is valid for clang in C and C++.
set -eu
if ! echo 'void f(void) __attribute__((nonblocking));' |
  "$CLANG" -xc -fsyntax-only -Wfunction-effects -Werror - 2>/dev/null; then
  echo "skipped: $CLANG knows no function effects"
  exit 0
fi
flags="-Wall -Wextra -Werror -pedantic -fsyntax-only -I$(dirname "$HEADER")"
echo '#include <libretto.h>' >"$WORK/header.c"
for language in "c -std=c99" "c -std=gnu17" "c++ -std=c++11" "c++ -std=c++20"; do
  "$CLANG" -x $language $flags -Wfunction-effects -Wno-pragma-once-outside-header "$WORK/header.c"
done
# Every marked call is made in a nonblocking function of this one, and one call that blocks.
"$CLANG" -std=c99 -D_GNU_SOURCE -fsyntax-only -Wfunction-effects -I"$(dirname "$HEADER")" -I"$HERE/support" -I"$WORK" \
  "$HERE/first_calls.c" 2>"$WORK/warnings"
[ "$(grep -c 'warning:' "$WORK/warnings")" -eq 1 ] || { cat "$WORK/warnings"; exit 1; }
grep 'warning:.*retto_session_create' "$WORK/warnings"
