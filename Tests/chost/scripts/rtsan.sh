# first_calls.c under clang's RealtimeSanitizer, which ends the process at whatever may block in a function
# that is nonblocking.
set -eu
if ! echo 'int main(void) { return 0; }' |
  "$CLANG" -xc -fsanitize=realtime - -o "$WORK/rtsan" 2>/dev/null; then
  echo "skipped: $CLANG has no RealtimeSanitizer"
  exit 0
fi
lib=$(dirname "$LIBRARY")
mkdir "$WORK/rtsan.d"
"$CLANG" -std=c99 -D_GNU_SOURCE -DRTSAN -O1 -g -fsanitize=realtime -Wall -Wextra -Werror -pedantic \
  -I"$(dirname "$HEADER")" -I"$HERE/support" -I"$WORK" "$HERE/first_calls.c" -o "$WORK/rtsan" \
  -L"$lib" -lretto -Wl,-rpath,"$lib" -pthread
cd "$WORK/rtsan.d"
timeout 600 "$WORK/rtsan"
