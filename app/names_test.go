package app

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/internal/people"
)

func TestWhoWasForgottenIsAFormerUser(t *testing.T) {
	store, err := people.Open(filepath.Join(t.TempDir(), "people.db"))
	require.NoError(t, err)
	defer store.Close()
	ann, err := store.Create(people.Person{Login: "ann", Name: "Ann Berg"})
	require.NoError(t, err)
	p := persons{store}
	who, ok := p.Person(p.Login(ann.ID))
	require.True(t, ok)
	require.Equal(t, "Ann Berg", who.Name)
	_, err = store.Forget("ann")
	require.NoError(t, err)
	who, ok = p.Person(p.Login(ann.ID))
	require.True(t, ok)
	require.Equal(t, "former user "+ann.ID, who.Name)
	_, ok = p.Person("nobody")
	require.False(t, ok)
}
