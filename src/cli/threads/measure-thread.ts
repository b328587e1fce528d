/** The body of a thread that measures calls, which takes long, while others are up. */
import { serveProcedures } from "../../call/index.ts";
import {
  type CallMetrics,
  type CallRecord,
  measureCall,
  withListening,
} from "../../measure/index.ts";
import { giveWay, parentChannel, threadData } from "../../platform/index.ts";

export type MeasureProcedures = {
  readonly measure: (record: CallRecord) => CallMetrics;
};

const { visqol } = threadData() as { readonly visqol: boolean };
giveWay();
serveProcedures(parentChannel(), {
  measure: (record: CallRecord): CallMetrics => {
    const measured = measureCall(record);
    return visqol ? withListening(measured, record) : measured;
  },
});
