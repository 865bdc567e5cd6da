# The library exports what the header declares, and nothing else; it needs no more than the C and
# C++ runtimes; each declaration says which threads may call it.
set -u
failures=0
fail() {
  echo "$*"
  failures=$((failures + 1))
}

# The header without comments and directives.
code=$(sed -e ':a' -e 's,/\*[^*]*\*\+\([^/*][^*]*\*\+\)*/, ,g' -e '/\/\*/{N;ba' -e '}' "$HEADER" |
  grep -v '^ *#')
declared=$(printf '%s\n' "$code" | grep -o 'retto_[a-z0-9_]* *(' | tr -d ' (' | sort)
[ "$(printf '%s\n' "$declared" | wc -l)" -ge 39 ] || fail "found too few declarations"
[ -z "$(printf '%s\n' "$declared" | uniq -d)" ] || fail "declared twice: $(printf '%s\n' "$declared" | uniq -d)"

# While the major version is 0, hosts are told minor versions apart.
number() { sed -n "s/^#define RETTO_VERSION_$1 *//p" "$HEADER"; }
interface=$(number MAJOR)
[ "$interface" != 0 ] || interface=0.$(number MINOR)

# A build without the version script exports more, which is tolerated; the one that is installed has it.
symbols=$(nm -D --defined-only "$LIBRARY" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort)
if ! readelf -VW "$LIBRARY" | grep -q "Name: LIBRETTO_$interface\$"; then
  echo "built without the version script: what else is exported is not looked at"
  symbols=$(printf '%s\n' "$symbols" | grep '^retto_')
fi
for name in $declared; do
  printf '%s\n' "$symbols" | grep -qx "$name" || fail "declared but not exported: $name"
done
for name in $symbols; do
  printf '%s\n' "$declared" | grep -qx "$name" || fail "exported but not declared: $name"
done

readelf -d "$LIBRARY" | grep -qF "[libretto.so.$interface]" || fail "the soname is not libretto.so.$interface"
readelf -d "$LIBRARY" | grep -E 'R(UN)?PATH' | grep -vF '[$ORIGIN]' &&
  fail "the library has a search path of its own"
readelf -d "$LIBRARY" | grep -q TEXTREL && fail "the library has text relocations"
readelf -lW "$LIBRARY" | grep -q 'GNU_STACK.*RWE' && fail "the library wants an executable stack"
for needed in $(ldd "$LIBRARY" | awk '{ sub(/.*\//, "", $1); print $1 }'); do
  case $needed in
  libc.so.* | libm.so.* | libstdc++.so.* | libgcc_s.so.* | ld-linux* | linux-vdso.so.*) ;;
  *) fail "the library needs $needed" ;;
  esac
done

# A declaration belongs to the comment before it; several may share one if no line is between them.
awk '
  function judge() {
    if (names != "" && comment !~ /\[(any-thread|one-thread)[]:]/) { print names; bad = 1 }
    # The tag is for people, the mark behind the declaration for the compiler.
    if (names != "" && (comment ~ /\[realtime[]:]/) != (marks > 0)) { print names " (RETTO_REALTIME)"; bad = 1 }
    if (marks > 0 && marks != split(names, each, " ")) { print names " (RETTO_REALTIME)"; bad = 1 }
    names = ""
    marks = 0
  }
  /^\/\*/ { judge(); comment = ""; inside = 1 }
  inside { comment = comment $0; if (/\*\//) inside = 0; next }
  /^[[:space:]]*$/ { judge(); comment = "" }
  /RETTO_REALTIME;/ { marks++ }
  /retto_[a-z0-9_]+ *\(/ && !/^typedef/ { match($0, /retto_[a-z0-9_]+ *\(/); names = names " " substr($0, RSTART, RLENGTH - 1) }
  END { judge(); exit bad }
' "$HEADER" >"$WORK/untagged" || fail "no thread tag, or not as it is marked:$(tr -d '\n' <"$WORK/untagged")"

[ "$failures" -eq 0 ]
