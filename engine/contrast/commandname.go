package contrast

import "github.com/tocsin-noc/tocsin/event"

// commandName is what a command is called in the API.
func commandName(k event.CommandKind) string {
	names := map[event.CommandKind]string{
		event.Acknowledge: "acknowledge", event.Resolve: "resolve", event.Assign: "assign", event.Note: "note", event.Snooze: "snooze",
		event.Hold: "hold", event.EditIncident: "edit", event.Begin: "begin", event.Cancel: "cancel", event.CloseIncident: "close",
		event.ReopenIncident: "reopen", event.Watch: "watch", event.Unwatch: "unwatch", event.SetTask: "task", event.SetParent: "parent",
		event.Relate: "relate", event.Unrelate: "unrelate", event.Merge: "merge", event.Split: "split", event.Unmerge: "unmerge",
		event.AnswerProposal: "answer", event.SetMajor: "major", event.TellUpdate: "update", event.SetReview: "review",
		event.TakeReport: "report", event.SetTicket: "ticket", event.Rate: "rate", event.JudgeCause: "cause", event.Redact: "redact", event.SetOutage: "outage",
	}
	if name, ok := names[k]; ok {
		return name
	}
	return "other"
}
