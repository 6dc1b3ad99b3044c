import { openMemoryLedger } from '../../src/pacing/memory.js'
import { testLedgerContract } from './ledger-contract.js'

testLedgerContract('memory', async (clock) => openMemoryLedger(clock))
