package main

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

func newTaskCommand(r *remote) *cobra.Command {
	return newParent("task", "Show, add and tick off the tasks of an incident", "  tocsin incident task add INC-42 'swap the disk' --assignee bob",
		newTaskAddCommand(r), newTaskDoneCommand(r), newTaskListCommand(r))
}

func newTaskAddCommand(r *remote) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "add INC-1 TITLE…",
		Short:   "Add a task to an incident",
		Example: "  tocsin incident task add INC-42 'swap the disk' --assignee bob --due 4h",
		Args:    cobra.MinimumNArgs(2),
	}
	f := cmd.Flags()
	f.String("assignee", "", "`PERSON` who does it")
	f.String("team", "", "`TEAM` that does it")
	f.String("due", "", "`WHEN`: a span such as 4h, or 2026-11-21T18:00:00Z")
	cmd.RunE = r.run(func(ctx context.Context, t *tool, args []string) error {
		payload := given(f, "assignee", "team", "due")
		payload["title"] = strings.Join(args[1:], " ")
		return t.change(ctx, http.MethodPost, payload, func(i *api.Incident) string {
			if len(i.Tasks) == 0 {
				return "has no tasks"
			}
			last := i.Tasks[len(i.Tasks)-1]
			return "has task " + strconv.Itoa(int(last.Number)) + ", " + last.Title
		}, args[0], "tasks")
	})
	return cmd
}

func newTaskDoneCommand(r *remote) *cobra.Command {
	var open bool
	cmd := &cobra.Command{
		Use:     "done INC-1 N…",
		Short:   "Tick tasks off by their numbers",
		Example: "  tocsin incident task done INC-42 1 2\n  tocsin incident task done INC-42 1 --undo",
		Args:    cobra.MinimumNArgs(2),
	}
	cmd.Flags().BoolVar(&open, "undo", false, "they are not done after all")
	cmd.RunE = r.run(func(ctx context.Context, t *tool, args []string) error {
		for _, n := range args[1:] {
			if _, err := strconv.ParseUint(n, 10, 32); err != nil {
				return usage(quote(n)+" is no number of a task", "`tocsin incident task list` shows the numbers")
			}
		}
		return each(t.err, args[1:], func(n string) error {
			return t.change(ctx, http.MethodPatch, map[string]any{"done": !open}, func(i *api.Incident) string {
				return "task " + n + unless(open, " done") + unless(!open, " open again") + ", " + plural(i.OpenTasks, "task", "tasks") + " open"
			}, args[0], "tasks", n)
		})
	})
	return cmd
}

func newTaskListCommand(r *remote) *cobra.Command {
	return &cobra.Command{
		Use:     "list [INC-1]",
		Short:   "List an incident's tasks, or without one all open tasks that are yours",
		Example: "  tocsin incident task list\n  tocsin incident task list INC-42",
		Args:    cobra.MaximumNArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			if len(args) == 0 {
				return t.myTasks(ctx)
			}
			_, i, err := fetch[api.Incident](ctx, t.api, nil, "incidents", args[0])
			if err != nil {
				return err
			}
			if t.json {
				for _, task := range i.Tasks {
					if err := t.value(task); err != nil {
						return err
					}
				}
				return nil
			}
			if len(i.Tasks) == 0 {
				t.note("%s has no tasks", i.ID)
				return nil
			}
			return t.table(t.taskTable(i.Tasks, ""), "")
		}),
	}
}

// myTasks lists the open tasks of who asks, over all open incidents and those that are over.
func (t *tool) myTasks(ctx context.Context) error {
	_, me, err := fetch[api.Me](ctx, t.api, nil, "me")
	if err != nil {
		return err
	}
	found, err := t.api.list(ctx, "incidents", 0, url.Values{"tasks": {"me"}, "status": {"all"}, "sort": {"priority"}}, "incidents")
	if err != nil {
		return err
	}
	incidents, err := decodeAll[api.Incident](found.items)
	if err != nil {
		return err
	}
	table := t.taskTable(nil, "INCIDENT")
	n := 0
	for _, i := range incidents {
		for _, task := range i.Tasks {
			if task.Done || task.Assignee != me.Name {
				continue
			}
			n++
			if t.json {
				if err := t.value(struct {
					Incident string `json:"incident"`
					api.Task
				}{i.ID, task}); err != nil {
					return err
				}
				continue
			}
			table.Add(append([]terminal.Cell{terminal.Text(i.ID)}, t.taskCells(&task)...)...)
		}
	}
	if t.json {
		return nil
	}
	if n == 0 {
		t.note("you have no open tasks")
		return nil
	}
	return t.table(table, "")
}

// taskTable lists tasks; first, when it is not empty, is a column in front.
func (p *printer) taskTable(tasks []api.Task, first string) *terminal.Table {
	columns := []string{"TASK", "STATE", "DUE", "WHO", "TITLE"}
	if first != "" {
		columns = append([]string{first}, columns...)
	}
	table := terminal.NewTable(columns...)
	for n := range tasks {
		table.Add(p.taskCells(&tasks[n])...)
	}
	return table
}

func (p *printer) taskCells(task *api.Task) []terminal.Cell {
	state, due := "open", "-"
	if task.Review {
		state = "open, review"
	}
	if task.DueAt != nil {
		due = p.time(*task.DueAt)
	}
	if task.Done {
		state = "done " + p.at(task.DoneAt) + by(task.DoneBy)
	} else if task.DueAt != nil && task.DueAt.Before(p.now) {
		state += ", late"
	}
	who := owner(&api.Incident{Assignee: task.Assignee, Team: task.Team})
	return []terminal.Cell{terminal.Text(strconv.Itoa(int(task.Number))), terminal.Text(state), terminal.Text(due), terminal.Text(who), terminal.Text(task.Title)}
}
