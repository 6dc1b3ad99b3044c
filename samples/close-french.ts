import { defineJob, endConversation } from 'ada-bulk'

export default defineJob({
  describe: 'Ends the conversations of one language.',
  operation: endConversation,
  flags: { language: { describe: 'As the column says it', default: 'fr' } },
  filters: ({ language }) => [
    {
      name: 'language',
      judge: (item) =>
        item.record().language === language ? null : { status: 'filtered', reason: 'other_language', message: '' },
    },
  ],
})
