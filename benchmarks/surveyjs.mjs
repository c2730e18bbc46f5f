// SurveyJS behind one pipe: a request a line in, an answer a line out, both JSON.
//
//   {"do": "play", "seconds": 2}              interviews one after the other -> {"interviews", "seconds"}
//   {"do": "talk", "answers": [["grade", 2], ["why", "..."]]}
//                                             one interview -> {"said": [[title, [choice, ...]], ...],
//                                             "refused": how many answers, "data", "completed"}
//
// The argument says how a saved state is loaded: "new" makes a Model of the JSON each time, as
// SurveyJS's documentation does; "reused" empties and fills one Model that is never thrown away.

import { createInterface } from 'node:readline';
import { Model } from 'survey-core';

const GRADES = ['Very dissatisfied', 'Dissatisfied', 'Fairly satisfied', 'Satisfied', 'Very satisfied'];
// The same as short() in questionnaire.py. Parsed once: only the Model is made anew.
const SURVEY = {
  pages: [
    {
      elements: [
        {
          type: 'rating',
          name: 'grade',
          title: 'How satisfied are you?',
          isRequired: true,
          rateValues: [5, 4, 3, 2, 1].map((value) => ({ value, text: GRADES[value - 1] })),
        },
      ],
    },
    {
      elements: [
        {
          type: 'text',
          name: 'why',
          title: 'You said {grade}. Why?',
          isRequired: true,
          visibleIf: '{grade} <= 3',
          validators: [{ type: 'text', maxLength: 200, text: 'Please be brief.' }],
        },
      ],
    },
  ],
};

function fill(survey, state) {
  if (state !== null) {
    survey.data = state.data;
    survey.currentPageNo = state.page;
  }
  return survey;
}

const anew = (state) => fill(new Model(SURVEY), state);

const only = new Model(SURVEY);
function reused(state) {
  only.clear(true, true);
  return fill(only, state);
}

const load = { new: anew, reused }[process.argv[2]];

const asked = (survey) => survey.currentPage.questions.find((question) => question.isVisible);

/** What somebody would be shown: the title, and the choices' labels. */
function words(survey) {
  const question = asked(survey);
  const items = question.getType() === 'rating' ? question.renderedRateItems : [];
  return [question.locTitle.renderedHtml, items.map((item) => item.locText.renderedHtml)];
}

const save = (survey) => JSON.stringify({ page: survey.currentPageNo, data: survey.data });

/** The answers as texts. */
const told = (state) =>
  Object.fromEntries(Object.entries(JSON.parse(state).data).map(([name, value]) => [name, `${value}`]));

/** One interview, its state saved and loaded between answers. */
function interview(answers) {
  const survey = load(null);
  const said = [words(survey)];
  let state = save(survey);
  let refused = 0;
  for (const [name, value] of answers) {
    const survey = load(JSON.parse(state));
    const question = asked(survey);
    if (question.name !== name) throw new Error(`${question.name} is asked, not ${name}`);
    question.value = value;
    const accepted = survey.isLastPage ? survey.completeLastPage() : survey.nextPage();
    if (!accepted) {
      refused += 1; // as refused, the answer is not kept
      continue;
    }
    state = save(survey);
    if (survey.state === 'completed') {
      return { said, refused, data: told(state), completed: true };
    }
    said.push(words(survey));
  }
  return { said, refused, data: told(state), completed: false };
}

const ANSWERS = [
  ['grade', 2],
  ['why', 'It took a whole morning.'],
];

function play(seconds) {
  const start = performance.now();
  let interviews = 0;
  let took = 0;
  do {
    if (!interview(ANSWERS).completed) throw new Error('an interview did not end');
    interviews += 1;
    took = (performance.now() - start) / 1000;
  } while (took < seconds);
  return { interviews, seconds: took };
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  const answer = request.do === 'talk' ? interview(request.answers) : play(request.seconds);
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
