# Runs "$@" and never outlives whoever holds this script's standard input.
# A line on standard input is a signal to pass on. Its end without a "KILL" means that the holder is gone:
# then the program is killed and its folder, named by $LEASH_FOLDER, removed.
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
exec 2>/dev/null
(
    while read -r signal; do
        kill -s "$signal" "$child"
        [ "$signal" != KILL ] || exit 0
    done
    trap '' TERM
    kill -s KILL "$child"
    exit 7
) <&3 3<&- &
leash=$!
wait "$child"
status=$?
kill "$leash"
wait "$leash"
[ $? -ne 7 ] || rm -rf -- "$LEASH_FOLDER"
exit "$status"
