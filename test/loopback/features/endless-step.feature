Feature: A step that waits for ever

  Scenario: Nothing ends it
    Given a step that waits for ever
