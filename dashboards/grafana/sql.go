package grafana

// Pieces that questions share. Grafana and its ClickHouse plugin put in what stands after a $; the formulas are those of the reports, so that
// both show the same figures.

const (
	// tenantScope: whether a row's tenant was chosen.
	tenantScope = "$__conditionalAll(tenant IN (${tenant:sqlstring}), $tenant)"

	// chosenScope: whether a row of incidents was chosen.
	chosenScope = tenantScope + `
    AND $__conditionalAll(hasAny(services, [${service:sqlstring}]), $service)
    AND $__conditionalAll(team IN (${team:sqlstring}), $team)
    AND $__conditionalAll(priority IN (${priority:csv}), $priority)`

	// incidentScope: whether a row of incidents is meant. Merged ones never are, their survivor stands for them.
	incidentScope = `merged_into = 0
    AND ` + chosenScope

	// serviceScope: whether a row's service was chosen.
	serviceScope = "$__conditionalAll(service IN (${service:sqlstring}), $service)"

	// ofIncidents is incidentScope in words.
	ofIncidents = "incidents of the chosen tenants, services, teams and priorities, imported ones too; merged ones are left out, their survivor counts"
)

// within says whether an instant lies in the period.
func within(instant string) string {
	return "(" + instant + " >= $__fromTime AND " + instant + " < $__toTime)"
}

// bucketOf is the instant at which the bucket of another begins, in the zone.
func bucketOf(instant string) string {
	return "toDateTime(toStartOfInterval(" + instant + ", INTERVAL 1 $bucket, ${zone:sqlstring}), ${zone:sqlstring})"
}

// elapsed is the time from a to b in seconds.
func elapsed(a, b string) string { return "dateDiff('millisecond', " + a + ", " + b + ") / 1000" }

// sorted are the values of a group in order, without NULL; p50 and p90 are the smallest of them that so many do not exceed.
func sorted(value string) string { return "arraySort(groupArray(" + value + "))" }

func sortedIf(value, condition string) string {
	return "arraySort(groupArrayIf(" + value + ", " + condition + "))"
}

func p50(sorted string) string { return quantile(sorted, "1", "2") }
func p90(sorted string) string { return quantile(sorted, "9", "10") }

func quantile(sorted, part, whole string) string {
	return "if(empty(" + sorted + "), NULL, " + sorted + "[intDiv(length(" + sorted + ") * " + part + " + " + whole + " - 1, " + whole + ")])"
}

// share is a quotient that is NULL where there is nothing to divide by.
func share(part, whole string) string {
	return "if(" + whole + " = 0, NULL, " + part + " / " + whole + ")"
}

// end is how far the period goes that has passed.
const end = "least($__toTime, now())"

// wilsonLo and wilsonHi are the ends of the 95 % interval of a share.
func wilsonLo(part, whole string) string {
	return "if(" + whole + " = 0, NULL, greatest(0, ((" + part + " + 1.9207294) / " + whole + " - " + wilsonHalf(part, whole) + ") / (1 + 3.8414588 / " + whole + ")))"
}

func wilsonHi(part, whole string) string {
	return "if(" + whole + " = 0, NULL, least(1, ((" + part + " + 1.9207294) / " + whole + " + " + wilsonHalf(part, whole) + ") / (1 + 3.8414588 / " + whole + ")))"
}

func wilsonHalf(part, whole string) string {
	return "1.9599640 * sqrt(" + part + " * (1 - " + part + " / " + whole + ") + 0.9603647) / " + whole
}
