import { comments, meaning, type Schedule, type Task } from './schedule.js'

/** Where the volume is in the container. */
export const volumePath = '/var/lib/ada-bulk'

/** A CronJob. */
export const kubernetes: Schedule = {
  name: 'kubernetes',
  files: (task) => [{ name: `${task.name}.yaml`, text: cronJob(task) }],
}

/** The user of the container; owns the files on the volume. */
const userId = 1000

function cronJob(task: Task): string {
  const { name, at, timeZone, words, stateDirectory, secrets, graceSeconds, cluster } = task
  const { image, namespace, volumeClaim, secret } = cluster
  return `${comments([
    `kubectl apply -f ${name}.yaml`,
    ...(secrets.length === 0
      ? []
      : [
          `Bring the key${secrets.length === 1 ? ', from a file that holds' : 's, from files that hold'} nothing else:`,
          `  kubectl create secret generic ${secret}${secrets.map((variable) => ` --from-file=${variable}=FILE`).join('')}${namespace === undefined ? '' : ` -n ${namespace}`}`,
        ]),
    'There is no public image: build one whose entry point is ada-bulk.',
    'Paths are those in the container; the volume has the inputs, the runs and the state. It must be block storage',
    '(ReadWriteOnce): locks and the ledger of calls do not work over NFS.',
    ...meaning,
  ])}apiVersion: batch/v1
kind: CronJob
metadata:
  name: ${name}
${namespace === undefined ? '' : `  namespace: ${namespace}\n`}spec:
  schedule: ${JSON.stringify(at.text)}
  timeZone: ${timeZone}
  concurrencyPolicy: Forbid
  # A start that was missed is made up for within the hour.
  startingDeadlineSeconds: 3600
  successfulJobsHistoryLimit: 3
  failedJobsHistoryLimit: 3
  jobTemplate:
    spec:
      # With growing pauses: a pod that was killed leaves a lock behind, which counts for two minutes.
      backoffLimit: 6
      podFailurePolicy:
        rules:
${policyRules(task)}      template:
        spec:
          # A policy for exit codes needs it; the next pod resumes the run.
          restartPolicy: Never
          # SIGTERM: calls in flight are finished and recorded.
          terminationGracePeriodSeconds: ${graceSeconds}
          automountServiceAccountToken: false
          securityContext:
            runAsNonRoot: true
            runAsUser: ${userId}
            runAsGroup: ${userId}
            fsGroup: ${userId}
            fsGroupChangePolicy: OnRootMismatch
            seccompProfile:
              type: RuntimeDefault
          containers:
            - name: ada-bulk
              image: ${JSON.stringify(image)}
              args:
${words.map((word) => `                - ${quoted(word)}\n`).join('')}              env:
                - name: ADA_BULK_STATE
                  value: ${JSON.stringify(stateDirectory)}
                # --hours and dates without a zone go by it.
                - name: TZ
                  value: ${timeZone}
${secrets.map((variable) => secretVariable(secret, variable)).join('')}              resources:
                requests:
                  cpu: 100m
                  memory: 128Mi
                limits:
                  memory: 512Mi
              securityContext:
                allowPrivilegeEscalation: false
                readOnlyRootFilesystem: true
                capabilities:
                  drop: [ALL]
              volumeMounts:
                - name: files
                  mountPath: ${volumePath}
          volumes:
            - name: files
              persistentVolumeClaim:
                claimName: ${volumeClaim}
`
}

/** A finished run must not be begun again, and a lost pod does not count as a failure. */
function policyRules({ stopsItself }: Task): string {
  const why = stopsItself
    ? ['Over for today: what ended so would end so again, and 75 is what the flags ask for.']
    : [
        'Over for today: what ended so would end so again. Others are tried again and resume; so is 75, which is',
        'another run at work.',
      ]
  return `${comments(why, '          ')}          - action: FailJob
            onExitCodes:
              containerName: ada-bulk
              operator: In
              values: [2, 3, 4${stopsItself ? ', 75' : ''}]
          # The node is drained, or its pod was evicted: does not count.
          - action: Ignore
            onPodConditions:
              - type: DisruptionTarget
                status: "True"
`
}

function secretVariable(secret: string, variable: string): string {
  return `                - name: ${variable}
                  valueFrom:
                    secretKeyRef:
                      name: ${secret}
                      key: ${variable}
`
}

/** In an argument of a container `$(NAME)` is a variable, and `$$` a dollar. */
function quoted(word: string): string {
  return JSON.stringify(word.replaceAll('$', '$$$$'))
}
