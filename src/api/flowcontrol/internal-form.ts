/** Specs as upstream's messages show them: in the fields of its internal Go types, everything that is unset included. */
import type {
  FlowcontrolV1Subject,
  FlowSchemaSpec,
  PolicyRulesWithSubjects,
  PriorityLevelConfigurationSpec,
} from "../generated/types.ts";

export function flowSchemaForm(spec: FlowSchemaSpec): Readonly<Record<string, unknown>> {
  return {
    PriorityLevelConfiguration: { Name: spec.priorityLevelConfiguration.name },
    MatchingPrecedence: spec.matchingPrecedence ?? 0,
    DistinguisherMethod: spec.distinguisherMethod === undefined ? null : { Type: spec.distinguisherMethod.type },
    Rules: spec.rules?.map(ruleForm) ?? null,
  };
}

function ruleForm({ subjects, resourceRules, nonResourceRules }: PolicyRulesWithSubjects): object {
  return {
    Subjects: subjects.map(subjectForm),
    ResourceRules:
      resourceRules?.map((rule) => ({
        Verbs: rule.verbs,
        APIGroups: rule.apiGroups,
        Resources: rule.resources,
        ClusterScope: rule.clusterScope ?? false,
        Namespaces: rule.namespaces ?? null,
      })) ?? null,
    NonResourceRules:
      nonResourceRules?.map((rule) => ({ Verbs: rule.verbs, NonResourceURLs: rule.nonResourceURLs })) ?? null,
  };
}

function subjectForm({ kind, user, group, serviceAccount }: FlowcontrolV1Subject): object {
  return {
    Kind: kind,
    User: user === undefined ? null : { Name: user.name },
    Group: group === undefined ? null : { Name: group.name },
    ServiceAccount:
      serviceAccount === undefined ? null : { Namespace: serviceAccount.namespace, Name: serviceAccount.name },
  };
}

export function priorityLevelForm({
  type,
  limited,
  exempt,
}: PriorityLevelConfigurationSpec): Readonly<Record<string, unknown>> {
  const queuing = limited?.limitResponse?.queuing;
  return {
    Type: type,
    Limited:
      limited === undefined
        ? null
        : {
            NominalConcurrencyShares: limited.nominalConcurrencyShares ?? 0,
            LimitResponse: {
              Type: limited.limitResponse?.type ?? "",
              Queuing:
                queuing === undefined
                  ? null
                  : {
                      Queues: queuing.queues ?? 0,
                      HandSize: queuing.handSize ?? 0,
                      QueueLengthLimit: queuing.queueLengthLimit ?? 0,
                    },
            },
            LendablePercent: limited.lendablePercent ?? null,
            BorrowingLimitPercent: limited.borrowingLimitPercent ?? null,
          },
    Exempt:
      exempt === undefined
        ? null
        : {
            NominalConcurrencyShares: exempt.nominalConcurrencyShares ?? null,
            LendablePercent: exempt.lendablePercent ?? null,
          },
  };
}
