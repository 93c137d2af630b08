# stress-ng with --verify; a unit is a stressor.
. "$HERE/lib.sh"
case $1 in
units) stress-ng --stressors | tr ' ' '\n' | sed '/^$/d' ;;
run)
	status=0
	"$WATCH" stress-ng --verify --"$2" 1 --"$2"-ops 300 --timeout 1 --temp-path "$PWD" || status=$?
	echo "= exit status: $status"
	;;
esac
