package alertmanager

import "strings"

// line is one request of the conversation. {now}, {now-1h}, <silence 1> and its <start 1>, once shown, are filled in.
type line struct {
	name, method, path string
	body               string
	header             map[string]string
	wait               bool // needs what Alertmanager does in the background
}

func get(name, path string) line { return line{name: name, method: "GET", path: path} }
func post(name, path, body string) line {
	return line{name: name, method: "POST", path: path, body: body}
}
func del(name, path string) line { return line{name: name, method: "DELETE", path: path} }

func with(l line, header ...string) line {
	l.header = map[string]string{}
	for i := 0; i < len(header); i += 2 {
		l.header[header[i]] = header[i+1]
	}
	return l
}

func settled(l line) line {
	l.wait = true
	return l
}

const (
	alertsPath   = "/api/v2/alerts"
	groupsPath   = "/api/v2/alerts/groups"
	silencesPath = "/api/v2/silences"
)

// silence returns a silence of one matcher with these further members.
func silence(matcher, start, end string, more ...string) string {
	return `{"matchers":[` + matcher + `],"startsAt":"` + start + `","endsAt":"` + end + `","createdBy":"me","comment":"c"` + strings.Join(more, "") + `}`
}

const (
	matchA   = `{"name":"a","value":"b","isRegex":false}`
	matchFoo = `{"name":"alertname","value":"foo","isRegex":false,"isEqual":true}`
)

// script is the conversation. The order matters: later lines see what earlier ones did.
func script() (lines []line) {
	for _, part := range [][]line{media(), wrongAlerts(), alertsLive(), filtersLive(), wrongSilences(), silencesLive(), suppressed(), over()} {
		lines = append(lines, part...)
	}
	return lines
}

func media() []line {
	return []line{
		get("no such path", "/api/v2/nope"),
		get("nothing behind the prefix", "/api/v2/"),
		get("receivers", "/api/v2/receivers"),
		get("a slash at the end", "/api/v2/receivers/"),
		get("receivers with a label", "/api/v2/receivers?receiver_matchers=name%3D%22tocsin%22"),
		get("receivers with another label", "/api/v2/receivers?receiver_matchers=name%3D%22other%22"),
		get("receivers with a bad matcher", "/api/v2/receivers?receiver_matchers=%28"),
		{name: "PUT alerts", method: "PUT", path: alertsPath},
		{name: "OPTIONS alerts", method: "OPTIONS", path: alertsPath},
		{name: "DELETE silences", method: "DELETE", path: silencesPath},
		{name: "POST receivers", method: "POST", path: "/api/v2/receivers"},
		{name: "PUT a silence", method: "PUT", path: "/api/v2/silence/x"},
		with(get("HTML wanted", alertsPath), "Accept", "text/html"),
		with(get("HTML or anything wanted", alertsPath), "Accept", "text/html, */*"),
		with(get("any application wanted", alertsPath), "Accept", "application/*;q=0.5, text/html"),
		with(get("JSON not wanted", alertsPath), "Accept", "application/json;q=0"),
		with(post("HTML wanted for alerts", alertsPath, "[]"), "Accept", "text/html"),
		with(post("HTML wanted for a silence", silencesPath, "{}"), "Accept", "text/html"),
		with(del("HTML wanted for a delete", "/api/v2/silence/x"), "Accept", "text/html"),
		with(post("a form", alertsPath, "[]"), "Content-Type", "application/x-www-form-urlencoded"),
		with(post("text", silencesPath, "{}"), "Content-Type", "text/plain"),
		with(post("no content type", alertsPath, "[]"), "Content-Type", ""),
		with(post("a content type with a parameter", alertsPath, "[]"), "Content-Type", "application/json; charset=utf-8"),
		with(post("a content type in capitals", alertsPath, "[]"), "Content-Type", "Application/JSON"),
		with(post("a content type that is none", alertsPath, "[]"), "Content-Type", "application/foo bar"),
		with(post("a JSON of its own", alertsPath, "[]"), "Content-Type", "application/vnd.x+json"),
		with(post("no body of another type", alertsPath, ""), "Content-Type", "text/plain"),
		with(get("another type where there is no body", alertsPath), "Content-Type", "text/plain"),
		with(post("gzip", alertsPath, "\x1f\x8b\x08\x00"), "Content-Encoding", "gzip"),
	}
}

func wrongAlerts() []line {
	return []line{
		post("no body", alertsPath, ""),
		post("null", alertsPath, "null"),
		post("no alerts", alertsPath, "[]"),
		post("an object", alertsPath, "{}"),
		post("no labels", alertsPath, `[{"annotations":{}}]`),
		post("a bad URL refuses its neighbours", alertsPath, `[{"labels":{"alertname":"lost"}},{"labels":{"alertname":"x"},"generatorURL":"not a url"}]`),
		get("and they are not there", alertsPath),
		post("empty labels", alertsPath, `[{"labels":{"a":""}}]`),
		post("a start after the end", alertsPath, `[{"labels":{"a":"b"},"startsAt":"{now}","endsAt":"{now-1h}"}]`),
		post("two that are wrong", alertsPath, `[{"labels":{}},{"labels":{"a":"b"},"startsAt":"{now}","endsAt":"{now-1h}"}]`),
		post("a late start without an end", alertsPath, `[{"labels":{"a":"b"},"startsAt":"{now+1h}"}]`),
	}
}

func alertsLive() []line {
	return []line{
		post("three alerts", alertsPath, `[
			{"labels":{"alertname":"foo","severity":"critical","instance":"i1"},"annotations":{"summary":"<one> & two"},"startsAt":"{now-1h}","endsAt":"{now+1h}","generatorURL":"http://x/?a=1&b=<2>"},
			{"labels":{"alertname":"foo","severity":"critical","instance":"i2","job":"j"},"startsAt":"{now-2h}","endsAt":"{now+1h}"},
			{"labels":{"alertname":"bar","empty":""},"endsAt":"{now+2h}","startsAt":"{now-3h}","unknown":[1]}]`),
		settled(get("three alerts shown", alertsPath)),
		get("their groups", groupsPath),
		post("an empty annotation", alertsPath, `[{"labels":{"alertname":"note"},"annotations":{"empty":""},"startsAt":"{now-1h}","endsAt":"{now+1h}"}]`),
		get("it is dropped", alertsPath+`?filter=alertname="note"`),
		post("UTF-8", alertsPath, `[{"labels":{"alertname":"utf8","café au lait":"ja"},"startsAt":"{now-1h}","endsAt":"{now+1h}"}]`),
		get("UTF-8 in a filter", alertsPath+`?filter="café%20au%20lait"=ja`),
		post("UTF-8 is over", alertsPath, `[{"labels":{"alertname":"utf8","café au lait":"ja"},"startsAt":"{now-1h}","endsAt":"{now-1s}"}]`),
		post("the note is over", alertsPath, `[{"labels":{"alertname":"note"},"startsAt":"{now-1h}","endsAt":"{now-1s}"}]`),
		post("a valid one between wrong ones", alertsPath, `[{"labels":{}},{"labels":{"alertname":"kept"},"startsAt":"{now-1h}","endsAt":"{now+1h}"}]`),
		get("it was kept", alertsPath+`?filter=alertname="kept"`),
		post("an earlier start and other annotations", alertsPath, `[{"labels":{"alertname":"kept"},"startsAt":"{now-2h}","endsAt":"{now+2h}","annotations":{"n":"2"}}]`),
		get("both count", alertsPath+`?filter=alertname="kept"`),
		post("without times", alertsPath, `[{"labels":{"alertname":"timeless"}}]`),
		get("it has times all the same", alertsPath+`?filter=alertname="timeless"`),
		post("resolved", alertsPath, `[{"labels":{"alertname":"timeless"},"endsAt":"{now-1s}"},{"labels":{"alertname":"never heard of"},"endsAt":"{now-1s}"}]`),
		get("resolved ones are not shown", alertsPath+`?filter=alertname=~"timeless|never.*"`),
	}
}

func filtersLive() (lines []line) {
	for _, query := range []string{
		`filter=alertname="foo"`, `filter=alertname=foo`, `filter=alertname!=foo`, `filter=alertname=~"f.*"`, `filter=alertname!~"f.*"`,
		`filter=alertname=~"f"`, `filter=nolabel=""`, `filter=nolabel!=""`, `filter=instance=""`, `filter=instance!=""`, `filter=instance=~""`,
		`filter=alertname=foo&filter=instance=i1`, `filter=alertname=foo,instance=i1`, `filter=alertname="foo",instance="i1"`,
		`filter={alertname="foo"}`, `filter=`, `filter=x`, `filter=a=~"("`, `filter=a%20b=c`, `filter=instance="i\n"`, `filter=instance=i\n`,
		`receiver=tocsin`, `receiver=toc`, `receiver=toc.*`, `receiver=`, `receiver=(`, `receiver=other&receiver=tocsin`,
		`receiver_matchers=name=tocsin`, `receiver_matchers=name=x`, `receiver_matchers=(`,
		`active=false`, `active=maybe`, `active=1`, `active=YES&active=`, `active=false&active=true`, `silenced=false&inhibited=false&unprocessed=false`,
	} {
		lines = append(lines, get("alerts by "+query, alertsPath+"?"+strings.NewReplacer(" ", "%20", "{", "%7B", "}", "%7D", `"`, "%22").Replace(query)))
	}
	for _, query := range []string{`filter=alertname="foo"`, `receiver=(`, `receiver=x`, `filter=x`, `muted=false`, `receiver_matchers=(`, `active=false`} {
		lines = append(lines, get("groups by "+query, groupsPath+"?"+strings.ReplaceAll(query, `"`, "%22")))
	}
	return lines
}

func wrongSilences() []line {
	const day = "{now+24h}"
	return []line{
		post("a silence of nothing", silencesPath, "{}"),
		post("a list of silences", silencesPath, "[]"),
		post("a null silence", silencesPath, "null"),
		post("no silence", silencesPath, ""),
		post("no matchers", silencesPath, silence("", "{now}", day)),
		post("null matchers", silencesPath, `{"matchers":null,"startsAt":"{now}","endsAt":"`+day+`","createdBy":"x","comment":""}`),
		post("no creator", silencesPath, `{"matchers":[`+matchA+`],"startsAt":"{now}","endsAt":"`+day+`","comment":""}`),
		post("no comment", silencesPath, `{"matchers":[`+matchA+`],"startsAt":"{now}","endsAt":"`+day+`","createdBy":""}`),
		post("no end", silencesPath, `{"matchers":[`+matchA+`],"startsAt":"{now}","createdBy":"","comment":""}`),
		post("no start", silencesPath, `{"matchers":[`+matchA+`],"endsAt":"`+day+`","createdBy":"","comment":""}`),
		post("a null start", silencesPath, `{"matchers":[`+matchA+`],"startsAt":null,"endsAt":"`+day+`","createdBy":"","comment":""}`),
		post("a matcher without isRegex", silencesPath, silence(`{"name":"a","value":"b"}`, "{now}", day)),
		post("a matcher without name", silencesPath, silence(`{"isRegex":true,"value":"b"}`, "{now}", day)),
		post("a matcher without value", silencesPath, silence(matchA+`,{"isRegex":true,"name":"b"}`, "{now}", day)),
		post("a matcher of the empty value", silencesPath, silence(`{"name":"a","value":"","isRegex":false}`, "{now}", day)),
		post("a matcher that matches nothing", silencesPath, silence(`{"name":"a","value":".*","isRegex":true}`, "{now}", day)),
		post("a matcher that is not equal", silencesPath, silence(`{"name":"alertname","value":"b","isRegex":false,"isEqual":false}`, "{now+23h}", day)),
		post("a matcher that is not like", silencesPath, silence(`{"name":"alertname","value":".+","isRegex":true,"isEqual":false}`, "{now}", day)),
		post("a bad pattern", silencesPath, silence(`{"name":"a","value":"(","isRegex":true}`, "{now}", day)),
		post("a pattern that closes ours", silencesPath, silence(`{"name":"a","value":"b)|(c","isRegex":true}`, "{now}", day)),
		post("a matcher with an empty name", silencesPath, silence(`{"name":"","value":"x","isRegex":false}`, "{now}", day)),
		post("a wrong type", silencesPath, silence(`{"name":"a","value":"b","isRegex":"no"}`, "{now}", day)),
		post("an end before the start", silencesPath, silence(matchA, "{now}", "{now-1h}")),
		post("an end in the past", silencesPath, silence(matchA, "{now-2h}", "{now-1h}")),
		post("an end at the start", silencesPath, silence(matchA, day, day)),
		post("a start that is no time", silencesPath, silence(matchA, "tomorrow", day)),
		post("an id that nobody has", silencesPath, silence(matchA, "{now}", day, `,"id":"00000000-58fe-4598-b2f2-54bfe0265e53"`)),
		post("an id that is none", silencesPath, silence(matchA, "{now}", day, `,"id":"nope"`)),
		get("no silence of that id", "/api/v2/silence/00000000-58fe-4598-b2f2-54bfe0265e53"),
		get("no silence of that id, with a slash", "/api/v2/silence/00000000-58fe-4598-b2f2-54bfe0265e53/"),
		get("no silence of that id, plain", "/api/v2/silence/0000000058fe4598b2f254bfe0265e53"),
		get("no silence of that id, as a URN", "/api/v2/silence/urn:uuid:00000000-58fe-4598-b2f2-54bfe0265e53"),
		get("a silence's id that is none", "/api/v2/silence/nope"),
		get("a silence's id one short", "/api/v2/silence/00000000-58fe-4598-b2f2-54bfe0265e5"),
		get("a silence's id of other letters", "/api/v2/silence/0000000x-58fe-4598-b2f2-54bfe0265e53"),
		get("a silence without id", "/api/v2/silence/"),
		get("a silence without id and slash", "/api/v2/silence"),
		get("a silence's part", "/api/v2/silence/00000000-58fe-4598-b2f2-54bfe0265e53/x"),
		del("delete what is not there", "/api/v2/silence/00000000-58fe-4598-b2f2-54bfe0265e53"),
		del("delete what is no id", "/api/v2/silence/x"),
		get("some were made", silencesPath),
	}
}

func silencesLive() []line {
	const two = `{"name":"z","value":"a.*","isRegex":true},{"name":"y","value":"b","isRegex":false,"isEqual":false}`
	return []line{
		post("an active silence", silencesPath, silence(two, "{now-1h}", "{now+3h}", `,"annotations":{"ticket":"<1>"}`)),
		get("an active silence shown", "/api/v2/silence/<silence 3>"),
		post("made longer in place", silencesPath, silence(two, "<start 3>", "{now+4h}", `,"id":"<silence 3>"`)),
		post("made longer without its start", silencesPath, silence(two, "", "{now+5h}", `,"id":"<silence 3>"`)),
		post("with other matchers", silencesPath, silence(matchA, "{now}", "{now+5h}", `,"id":"<silence 4>"`)),
		post("a pending silence", silencesPath, silence(matchA, "{now+2h}", "{now+3h}")),
		post("a pending silence moved", silencesPath, silence(matchA, "{now+1h}", "{now+3h}", `,"id":"<silence 6>"`)),
		post("a pending silence moved into the past", silencesPath, silence(matchA, "{now-1h}", "{now+3h}", `,"id":"<silence 6>"`)),
		post("another pending one", silencesPath, silence(matchA, "{now+1h}", "{now+3h}")),
		post("no comment at all", silencesPath, `{"matchers":[`+matchA+`],"startsAt":"{now+3h}","endsAt":"{now+4h}","createdBy":"","comment":""}`),
		get("all silences", silencesPath),
		get("active silences", silencesPath+"?expired=false&pending=false"),
		get("pending silences", silencesPath+"?expired=false&active=false"),
		get("expired silences", silencesPath+"?pending=false&active=no"),
		get("silences with that matcher", silencesPath+"?filter=a%3Db"),
		get("silences with that pattern", silencesPath+"?filter=z%3D~%22a.*%22&filter=y!%3Db"),
		get("silences that would match", silencesPath+"?filter=z%3Dab"),
		get("silences by a bad filter", silencesPath+"?filter=%7Ba%3Db%7D"),
		del("delete", "/api/v2/silence/<silence 5>"),
		del("delete again", "/api/v2/silence/<silence 5>"),
		get("a deleted silence", "/api/v2/silence/<silence 5>"),
		del("delete a pending one", "/api/v2/silence/<silence 8>"),
		post("revive an expired one", silencesPath, silence(matchA, "{now}", "{now+5h}", `,"id":"<silence 5>"`)),
		get("all silences in the end", silencesPath),
	}
}

func suppressed() []line {
	return []line{
		post("silence foo", silencesPath, silence(matchFoo, "{now-1m}", "{now+6h}")),
		get("foo is suppressed", alertsPath+"?filter=alertname%3Dfoo"),
		get("only suppressed", alertsPath+"?active=false"),
		get("none that is silenced", alertsPath+"?silenced=false"),
		get("groups of suppressed", groupsPath+"?active=false"),
		post("one inhibits another", alertsPath, `[
			{"labels":{"alertname":"down","severity":"critical","cluster":"c"},"startsAt":"{now-1h}","endsAt":"{now+1h}"},
			{"labels":{"alertname":"slow","severity":"warning","cluster":"c"},"startsAt":"{now-1h}","endsAt":"{now+1h}"},
			{"labels":{"alertname":"slow","severity":"warning","cluster":"d"},"startsAt":"{now-1h}","endsAt":"{now+1h}"}]`),
		settled(get("slow is inhibited", alertsPath+"?filter=cluster!%3D%22%22")),
		get("not the inhibited", alertsPath+"?filter=cluster!%3D%22%22&inhibited=false"),
		get("only the inhibited", alertsPath+"?silenced=false&active=false"),
	}
}

func over() []line {
	return []line{
		post("the cause is over", alertsPath, `[{"labels":{"alertname":"down","severity":"critical","cluster":"c"},"startsAt":"{now-1h}","endsAt":"{now-1s}"}]`),
		settled(get("nothing inhibits any more", alertsPath+"?filter=cluster!%3D%22%22")),
		get("all groups in the end", groupsPath),
	}
}
