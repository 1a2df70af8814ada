package imports

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// TestEachMistakeOfAMapIsTold reads testdata/map: each file says in its first lines what is wrong with the rest.
func TestEachMistakeOfAMapIsTold(t *testing.T) {
	files, err := filepath.Glob("testdata/map/*.yml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var want []string
		for line := range strings.Lines(string(text)) {
			if said, ok := strings.CutPrefix(line, "# "); ok {
				want = append(want, strings.TrimSpace(said))
			}
		}
		_, err = Parse("map.yml", text, Override{})
		require.EqualError(t, err, strings.Join(want, "\n"), file)
	}
}

func TestOverridesAreCheckedAsMapsAre(t *testing.T) {
	text := []byte("facts: {number: n, opened_at: o}\n")
	_, err := Parse("map.yml", text, Override{})
	require.EqualError(t, err, "map.yml: zone: missing, and times without an offset need it; write zone: Europe/Berlin, or give --zone")
	_, err = Parse("map.yml", text, Override{Zone: "Mars/Base", Dates: []string{"dd/MM"}})
	require.EqualError(t, err, "dates: must hold one year, one month and one day, as in dd/MM/yyyy HH:mm (got \"dd/MM\")\nzone: must be a time zone such as Europe/Berlin or UTC (got \"Mars/Base\")")
	m, err := Parse("map.yml", text, Override{Zone: "Europe/Berlin", Dates: []string{"dd.MM.yyyy HH:mm", "unix_ms"}})
	require.NoError(t, err)
	at, ok := m.time("01.07.2026 12:00")
	require.True(t, ok)
	require.Equal(t, "2026-07-01T10:00:00Z", at.UTC().Format(time.RFC3339))
}

func TestDatesAreReadByTheirFormat(t *testing.T) {
	for _, c := range []struct{ format, text, want string }{
		{"d/M/yyyy HH:mm", "29/2/2016 01:16", "2016-02-29T01:16:00Z"}, {"D/M/YYYY H:mm", "5/02/2012 9:32", "2012-02-05T09:32:00Z"},
		{"dd-MM-yyyy HH:mm:ss", "07-01-2013 08:17:17", "2013-01-07T08:17:17Z"}, {"MM/dd/yyyy hh:mm:ss a", "01/07/2013 08:17:17 PM", "2013-01-07T20:17:17Z"},
		{"yyyy-MM-dd'T'HH:mm:ss.SSSZ", "2026-01-02T03:04:05.678+02:00", "2026-01-02T01:04:05.678Z"}, {"yyyy-MM-dd HH:mm:ss ZZ", "2026-01-02 03:04:05 +0200", "2026-01-02T01:04:05Z"},
		{"dd-MMM-yyyy HH:mm", "07-Jan-2013 08:17", "2013-01-07T08:17:00Z"}, {"dd.MM.yy", "07.01.13", "2013-01-07T00:00:00Z"},
		{"unix", "1770000000", "2026-02-02T02:40:00Z"}, {"unix_ms", "1770000000123", "2026-02-02T02:40:00.123Z"},
		{"d/M/yyyy HH:mm", "2/29/2016 01:16", ""}, {"d/M/yyyy HH:mm", "30/2/2016 01:16", ""}, {"unix", "-5", ""}, {"unix", "", ""}, {"yyyy-MM-dd", "2016-01-01 00:00", ""},
	} {
		d, err := ParseDateFormat(c.format)
		require.NoError(t, err, c.format)
		at, ok := d.read(c.text, time.UTC)
		require.Equal(t, c.want != "", ok, c)
		if ok {
			require.Equal(t, c.want, at.UTC().Format(time.RFC3339Nano), c)
		}
	}
}

func numbersOf(all map[string]story) (list []string) {
	for _, s := range all {
		list = append(list, s.number+" "+s.versions[0].title)
	}
	return list
}

func TestTextOfEveryEncodingIsReadAlike(t *testing.T) {
	m := mapOf(t, "servicenow", Override{})
	const text = "number,opened_at,short_description\r\nINC1,2026-01-02 03:04:05,Größe – „voll“\r\n"
	want := []string{"INC1 Größe – „voll“"}
	encode := map[string]func(string) (string, error){
		"utf-8":        func(s string) (string, error) { return s, nil },
		"utf-8, mark":  func(s string) (string, error) { return "\ufeff" + s, nil },
		"windows-1252": charmap.Windows1252.NewEncoder().String,
		"utf-16le":     unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewEncoder().String,
		"utf-16be":     unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewEncoder().String,
		"utf-16, mark": unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String,
	}
	for name, as := range encode {
		coded, err := as(text)
		require.NoError(t, err, name)
		all, said := told(t, m, coded)
		require.Equal(t, want, numbersOf(all), name)
		require.Empty(t, said.Unmapped, name)
	}
}

func TestDelimitersAndJSONOfEveryShapeAreFoundOut(t *testing.T) {
	m := mapOf(t, "servicenow", Override{})
	row := `{"number":"INC1","opened_at":"2026-01-02 03:04:05","short_description":"Disk","assignment_group":{"display_value":"dba","value":"6816f79cc0a8016401c5a33be04be441","link":"https://x"},"active":true,"u_n":1.50}`
	for _, text := range []string{
		"number,opened_at,short_description,assignment_group\nINC1,2026-01-02 03:04:05,Disk,dba",
		"number;opened_at;\"short_description\";assignment_group;;\nINC1;2026-01-02 03:04:05;Disk;dba;;\n",
		"number\topened_at\tshort_description\tassignment_group\r\nINC1\t2026-01-02 03:04:05\tDisk\tdba\r\n",
		"number|opened_at|short_description|assignment_group\nINC1|2026-01-02 03:04:05|\"Disk\"|dba\n",
		row, row + "\n", "[" + row + "]", "[\n  " + row + "\n]\n", `{"result":[` + row + `]}`, "{ \"records\" : [\n" + row + "]}",
		strings.ReplaceAll(row, ",\"", ",\n \""),
	} {
		all, said := told(t, m, text)
		require.Equal(t, []string{"INC1 Disk"}, numbersOf(all), text)
		require.Equal(t, "dba", all["INC1"].versions[0].team, text)
		if strings.Contains(text, "{") {
			require.Equal(t, []string{"active", "u_n"}, said.Unmapped, text)
		}
	}
}

func TestBadRowsAreRejectedWithTheirPlaceAndGoodOnesGoOn(t *testing.T) {
	m := mapOf(t, "servicenow", Override{})
	for text, want := range map[string][]Reject{
		"number,opened_at,priority\nINC1,2026-01-02 03:04:05\nINC2,2026-01-02 03:04:05,3\nINC3,2026-01-02 03:04:05,3,x\nINC4,2026-01-02 03:04:05,\"3\"x\nINC5,2026-01-02 03:04:05,\"\n\n3\"\nINC6,2026-01-02 03:04:05,7\n": {
			{2, "", "", "2 cells, and the header has 3"}, {4, "", "x", "4 cells, and the header has 3"},
			{5, "", "", "a quote at column 28 of line 5 that neither begins nor ends a cell (lax_quotes: true in the map takes it as text)"},
			{9, "priority", "7", "priority: not among the map's values; add it there, or say what others mean with otherwise"},
		},
		"number,opened_at\n,2026-01-02 03:04:05\nINC1,\nINC2,1980-01-01 00:00:00\nINC2,2030-01-01 00:00:00\nINC9,2026-01-02 03:04:05\nINC9,2026-01-02 03:04:05\nINC9,2026-01-02 03:04:06": {
			{2, "number", "", "number: missing"}, {3, "opened_at", "", "opened_at: missing"}, {4, "opened_at", "1980-01-01 00:00:00", "opened_at: lies before 1990"},
			{5, "opened_at", "2030-01-01 00:00:00", "opened_at: lies in the future"}, {8, "number", "INC9", "number: line 6 has told of it otherwise, and counts"},
		},
		"{\"number\":\"INC1\",\"opened_at\":\"2026-01-02 03:04:05\"}\nnonsense\n[1]\n{\"number\":\"INC2\",\"opened_at\":\"x\"}\n": {
			{2, "", "nonsense", "no JSON object"}, {3, "", "[1]", "no JSON object"},
			{4, "opened_at", "x", "opened_at: fits none of the date formats (" + m.dateTexts() + "); state the right one in dates, or with --dates"},
		},
	} {
		all, said := told(t, m, text)
		require.NotEmpty(t, all, text)
		require.Equal(t, want, said.Rejects, text)
	}
}

func TestWhatIsWrongWithManyRowsIsToldOnceForEachKind(t *testing.T) {
	m := mapOf(t, "servicenow", Override{})
	var b strings.Builder
	b.WriteString("number,opened_at,state\nINC0,2026-01-02 03:04:05,New\n")
	for n := range 300 {
		fmt.Fprintf(&b, "INC%d,%d Jan,New\n,2026-01-02 03:04:05,New\nINC0,2026-01-02 03:04:06,New\n", n, n%7)
	}
	_, said := told(t, m, b.String())
	require.Equal(t, 900, said.Rejected)
	require.Len(t, said.Rejects, firstRejects)
	require.Equal(t, []RejectReason{
		{"opened_at: fits none of the date formats (" + m.dateTexts() + "); state the right one in dates, or with --dates", "opened_at", []string{"0 Jan", "1 Jan", "2 Jan", "3 Jan"}, 3, 300},
		{"number: missing", "number", []string{}, 4, 300},
		{"number: line 2 has told of it otherwise, and counts", "number", []string{"INC0"}, 5, 300},
	}, said.Reasons)
	require.Zero(t, said.Others)
}

func TestOnlyTheMostFrequentReasonsAreListed(t *testing.T) {
	var r tally
	for n := range 30 {
		for range n + 1 {
			r.add(&Reject{Line: 100 - n, Column: strings.Repeat("c", n+1), Reason: "odd"})
		}
	}
	list, others := r.list()
	require.Len(t, list, mostReasons)
	require.Equal(t, []int{30, 71}, []int{list[0].Count, list[0].Line})
	require.Equal(t, 20*21/2, others)
	for n := range keptReasons + 5 {
		r.add(&Reject{Line: 1, Column: strings.Repeat("d", n+1), Reason: "odd"})
	}
	require.Len(t, r.of, keptReasons)
	require.Equal(t, 35, r.others)
}

func TestAFileThatCannotBeReadSaysWhereAndWhy(t *testing.T) {
	m := mapOf(t, "servicenow", Override{})
	for text, want := range map[string]string{
		"":                            "the file is empty; its first row must name the columns",
		"number,number,opened_at\n":   `line 1: there are two columns "number"; rename one, so that the map can tell them apart`,
		"[{\"number\":1},\n{\"numb":   "line 2: the file breaks off: it is cut, or was not sent to its end",
		"{\"result\":[{\"number\":1}": "line 1: the file breaks off: it is cut, or was not sent to its end",
	} {
		r := &run{Input: Input{Map: m, Now: now}, store: &store{known: map[uint64]uint64{}}, flags: map[string]int{}, out: &Summary{}, bytes: &counted{r: strings.NewReader(text)}}
		require.EqualError(t, r.read(t.Context()), want)
	}
	r := &run{Input: Input{Map: m, Now: now}, store: &store{known: map[uint64]uint64{}}, flags: map[string]int{}, out: &Summary{}, bytes: &counted{r: strings.NewReader("a,b\n1,2\n")}}
	require.ErrorContains(t, r.read(t.Context()), `no column "number", "Number", which the map takes for number (servicenow.yml:`)
}

// TestEndingsOfARowFollowTheRules: the rules of the manual, one by one.
func TestEndingsOfARowFollowTheRules(t *testing.T) {
	m := mapOf(t, "service-manager", Override{})
	for row, want := range map[string]string{
		"Closed;;01/02/2026 09:00;03/02/2026 09:00":                 "opened@01 08:00 resolved@01 09:00 closed@03 09:00",
		"Closed;02/02/2026 09:00;03/02/2026 09:00;04/02/2026 09:00": "opened@01 08:00 reopened@02 09:00 resolved@03 09:00 closed@04 09:00 | " + flagReopenedFirst,
		"Closed;03/02/2026 09:00;02/02/2026 09:00;04/02/2026 09:00": "opened@01 08:00 resolved@02 09:00 reopened@03 09:00 closed@04 09:00 | " + flagReopenedLast,
		"Closed;;03/02/2026 09:00;02/02/2026 09:00":                 "opened@01 08:00 resolved@03 09:00 closed@03 09:00 | " + flagCloseMoved,
		"Closed;;;02/02/2026 09:00":                                 "opened@01 08:00 closed@02 09:00 | " + flagUnresolved,
		"Closed;;;":                                                 "opened@01 08:00 updated@01 08:00 | " + flagNoTime,
		"Resolved;;02/02/2026 09:00;":                               "opened@01 08:00 resolved@02 09:00",
		"Work in progress;;02/02/2026 09:00;":                       "opened@01 08:00 | " + flagOpenAgain,
		"Work in progress;03/02/2026 09:00;02/02/2026 09:00;":       "opened@01 08:00 resolved@02 09:00 reopened@03 09:00",
		"Pending;;;":                  "opened@01 08:00 held@01 08:00",
		"Rejected;;;02/02/2026 09:00": "opened@01 08:00 cancelled@02 09:00",
	} {
		all, said := told(t, m, "Incident ID;Priority;Open Time;Status;Reopen Time;Resolved Time;Close Time\nIM1;3;01/02/2026 08:00;"+row+"\n")
		got := kinds(all["IM1"])
		for _, f := range said.Flags {
			got += " | " + f.Rule
		}
		require.Equal(t, want, got, row)
	}
	m.ClosedResolves = true
	all, _ := told(t, m, "Incident ID;Priority;Open Time;Status;Close Time\nIM1;3;01/02/2026 08:00;Closed;02/02/2026 09:00\n")
	require.Equal(t, "opened@01 08:00 resolved@02 09:00 closed@02 09:00", kinds(all["IM1"]))
}

// TestTheManualIsRight reads the map of the manual and looks for every fact in it.
func TestTheManualIsRight(t *testing.T) {
	text, err := os.ReadFile("../../docs/history-import.md")
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(text), "```yaml\n")
	example, _, _ := strings.Cut(rest, "```")
	_, err = Parse("manual.yml", []byte(example), Override{})
	require.NoError(t, err)
	for _, f := range factNames {
		require.Contains(t, rest, "`"+f.name+"`")
	}
	for _, word := range append(append([]string{}, states...), activities...) {
		require.Contains(t, rest, "`"+word+"`")
	}
	for _, f := range (&mapReader{m: &Map{}}).fields() {
		require.Contains(t, rest, "| `"+f.Key+"` |")
	}
}
