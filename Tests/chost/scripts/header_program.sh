# The program at the head of libretto.h compiles without a warning and does what it says.
set -eu
folder=$WORK/header_program
mkdir -p "$folder"
sed -n '/^ \*     #include <libretto.h>/,/^ \*     cc /s/^ \* \{0,5\}//p' "$HEADER" | sed '/^cc /d' \
  >"$folder/program.c"
grep -q 'int main' "$folder/program.c"
lib=$(dirname "$LIBRARY")
# Two minutes are for people.
grep -q 'options.minutes = 2;' "$folder/program.c"
sed -i 's/minutes = 2;/minutes = 0.1;/' "$folder/program.c"
$CC -std=c99 -Wall -Wextra -Werror -pedantic -I"$(dirname "$HEADER")" $CFLAGS "$folder/program.c" \
  -o "$folder/program" -L"$lib" -lretto -Wl,-rpath,"$lib"

cd "$folder"
# Without a corpus it says so and fails.
if ./program >out.txt 2>error.txt; then
  echo "no corpus, and no failure"
  exit 1
fi
grep -q corpus.txt error.txt
[ ! -s out.txt ]

# A small corpus: numbers in words, with characters beyond ASCII.
awk 'BEGIN {
  split("null un deux trois quatre cinq six sept huit neuf", word, " ")
  srand(1)
  for (i = 0; i < 150; i++)
    printf "%s et %s — c’est %s.\n", word[1 + i % 10], word[1 + int(i / 10) % 10], word[1 + int(rand() * 10)]
}' >corpus.txt
before=$(date +%s)
timeout 300 ./program >out.txt 2>error.txt
after=$(date +%s)
echo "$((after - before)) seconds"
# It shows how far it is. On a fast machine the run ends early, before its time is over.
tr '\r' '\n' <error.txt | tail -1 | grep -q '[0-9] %  loss'
# 500 characters, which are the bytes that do not go on with one.
characters=$(LC_ALL=C tr -d '\200-\277' <out.txt | wc -c)
[ "$characters" -eq 500 ] || { echo "$characters characters"; exit 1; }
iconv -f UTF-8 -t UTF-8 out.txt >/dev/null
# It has learnt: this word is in every line.
grep -q 'et' out.txt
grep -q 'est' out.txt
head -3 out.txt
