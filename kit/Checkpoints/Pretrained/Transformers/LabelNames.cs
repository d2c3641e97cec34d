using System.Text.Json.Nodes;

namespace ResearchKit.Checkpoints;

/// <summary>
/// Writes the label names of a classifier to <c>config.json</c>, from which transformers derives the number of
/// labels.
/// </summary>
internal static class LabelNames
{
    /// <summary>
    /// Adds <c>id2label</c> and <c>label2id</c> with the default names of transformers, such as <c>LABEL_0</c>.
    /// </summary>
    public static JsonObject WithLabels(this JsonObject config, int labels)
    {
        var names = Enumerable.Range(0, labels).Select(label => (Number: label, Name: $"LABEL_{label}")).ToList();
        config["id2label"] = new JsonObject(names
            .Select(label => KeyValuePair.Create<string, JsonNode?>($"{label.Number}", label.Name)));
        config["label2id"] = new JsonObject(names
            .Select(label => KeyValuePair.Create<string, JsonNode?>(label.Name, label.Number)));
        return config;
    }
}
