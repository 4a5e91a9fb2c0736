# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034  # variables that the scripts share: runner.sh
# The output of a run in $out: results.json and log.txt, both rewritten completely after every step, so that
# a run that is cut off loses nothing. The runner's arrays have one entry per step: names, limits, answers,
# statuses, seconds, summaries.
kLogBytes=7500000
kNumbersBytes=1000000

# quoted TEXT: a JSON string. Bytes beyond ASCII are dropped: a log may be cut in the middle of a letter.
quoted() {
  local text=${1//\\/\\\\}
  text=${text//\"/\\\"} text=${text//$'\t'/\\t}
  text=${text//$'\n'/\\n}
  printf '"%s"' "${text//[^[:print:]]/}"
}

# is_json FILE: is it one complete JSON value? Strings and scalars are replaced by a letter, then lists and
# objects of letters, until one letter is left.
is_json() {
  awk '
    { text = text " " $0 }
    END {
      gsub(/"([^"\\]|\\.)*"/, "S", text)
      gsub(/-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?|true|false|null/, "V", text)
      gsub(/[ \t]/, "", text)
      do {
        changed = gsub(/\[\]|\{\}|\[[SV](,[SV])*\]|\{S:[SV](,S:[SV])*\}/, "V", text)
      } while (changed)
      exit text !~ /^[SV]$/
    }' "$1"
}

# numbers_of FILE: a step's numbers as a JSON value. If a step died they may be incomplete: then as text, so
# that results.json stays valid.
numbers_of() {
  if [ ! -s "$1" ]; then
    printf null
  elif [ "$(wc -c <"$1")" -gt $kNumbersBytes ]; then
    quoted "$(head -c 1000 "$1") ... ($(wc -c <"$1") bytes)"
  elif is_json "$1"; then
    cat "$1"
  else
    quoted "$(cat "$1")"
  fi
}

# replace FILE: standard input becomes FILE, atomically.
replace() {
  cat >"$1.new" && mv -f "$1.new" "$1"
}

# set_step INDEX STATUS [SUMMARY]: stores the JSON object that appears in every later file.
set_step() {
  local i=$1
  statuses[i]=$2 summaries[i]=${3:-}
  {
    printf '{"step": %s, "status": "%s", "seconds": %d, "limit_s": %d, "answers": %s, "summary": %s, "numbers": ' \
      "$(quoted "${names[i]}")" "$2" "${seconds[i]}" "${limits[i]}" "$(quoted "${answers[i]}")" \
      "$(quoted "${summaries[i]}")"
    numbers_of "$scratch/${names[i]}.json"
    printf '}'
  } >"$scratch/${names[i]}.object"
}

# keep_log INDEX: trimmed to its share of log.txt.
keep_log() {
  local name=${names[$1]} log=$scratch/${names[$1]}.log share=$((kLogBytes / ${#names[@]}))
  {
    printf '== %s: %s, %d s: %s\n' "$name" "${statuses[$1]}" "${seconds[$1]}" "${answers[$1]}"
    if [ "$(wc -c <"$log")" -le $share ]; then
      cat "$log"
    else
      head -c $((share / 4)) "$log"
      printf '\n... (%d bytes in all)\n' "$(wc -c <"$log")"
      tail -c $((share / 2)) "$log"
    fi
    echo
  } >"$scratch/$name.part"
}

# count_steps STATUS
count_steps() { printf '%s\n' "${statuses[@]}" | grep -cx -- "$1"; }

# write_results STATE: running, finished or "cut off". Facts: lines "KEY<tab>TEXT".
write_results() {
  local i key value separator='' parts=()
  {
    printf '{"state": "%s", "failed": %d' "$1" "$(count_steps failed)"
    while IFS=$'\t' read -r key value; do
      printf ',\n "%s": %s' "$key" "$(quoted "$value")"
    done <"$scratch/facts"
    printf ',\n "steps": ['
    for i in "${!names[@]}"; do
      printf '%s\n  ' "$separator"
      cat "$scratch/${names[i]}.object"
      separator=,
    done
    printf '\n]}\n'
  } | replace "$out/results.json"
  for i in "${!names[@]}"; do
    [ ! -s "$scratch/${names[i]}.part" ] || parts+=("$scratch/${names[i]}.part")
  done
  cat ${parts[@]+"${parts[@]}"} </dev/null | replace "$out/log.txt"
}

print_table() {
  local i
  echo
  cut -f 2 "$scratch/facts" | paste -sd ';' | sed 's/;/; /g'
  for i in "${!names[@]}"; do
    printf '%-22s %-11s %4d s  %s\n' "${names[i]}" "${statuses[i]}" "${seconds[i]}" "${summaries[i]}"
  done
  echo "${#names[@]} steps, $(count_steps failed) failed, $(count_steps 'not reached') not reached;" \
    "$out/results.json, $out/log.txt"
}
