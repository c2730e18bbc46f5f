"""The logic of questionnaires, held against ODK's own engine on random answers."""
