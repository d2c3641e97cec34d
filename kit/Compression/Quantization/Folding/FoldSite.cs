using ResearchKit.Layers;
using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>
/// A place where a factor for each channel can move from a layer's inputs into its weight: the inputs are the output of a norm or
/// of a linear layer, which is divided by the factors.
/// </summary>
/// <param name="Producer">Name of the norm or linear layer whose output the consumers read, and nothing else does.</param>
/// <param name="Consumers">Names of the linear layers that read it.</param>
/// <param name="FirstRow">The first output of the producer that the consumers read; above 0 in a joint projection.</param>
public sealed record FoldSite(string Producer, IReadOnlyList<string> Consumers, long FirstRow = 0)
{
    /// <summary>Finds the places of the kit's transformers.</summary>
    /// <remarks>
    /// From a norm to the layers after it (not in BERT, whose norms also feed the residual stream); from the values of attention
    /// to its output layer, where each value head has one query head; from the linear half of a gated MLP, or through a ReLU, to
    /// the layer after it. Nothing passes through a GELU.
    /// </remarks>
    /// <param name="model">Any model; one without such layers has no places.</param>
    public static IReadOnlyList<FoldSite> Of(nn.Module model)
    {
        var modules = model.named_modules().ToDictionary(pair => pair.name, pair => pair.module);
        modules[""] = model;
        return [.. from pair in modules
                   from site in Inside(pair.Value)
                   let named = site.Below(pair.Key, modules.ContainsKey)
                   where named.Consumers.Count > 0 && named.Fits(modules)
                   select named];
    }

    private static FoldSite[] Inside(nn.Module module) => module switch
    {
        Gpt => [Site("ln_f", "lm_head")],
        GptBlock => [Site("ln_1", "attn.c_attn"), Site("ln_2", "mlp.c_fc")],
        CausalSelfAttention attention => [Site("c_attn", "c_proj") with { FirstRow = 2L * attention.Width }],
        GptMlp { IsRelu: true } => [Site("c_fc", "c_proj")],
        Llama => [Site("model.norm", "lm_head")],
        LlamaLayer => [Site("input_layernorm", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
            Site("post_attention_layernorm", "mlp.gate_proj", "mlp.up_proj"), Site("mlp.up_proj", "mlp.down_proj"),
            Site("self_attn.v_proj", "self_attn.o_proj")],
        VitLayer => [Site("layernorm_before",
            "attention.attention.query", "attention.attention.key", "attention.attention.value"),
            Site("layernorm_after", "intermediate.dense"), Site("attention.attention.value", "attention.output.dense")],
        BertLayer => [Site("attention.self.value", "attention.output.dense")],
        T5SelfAttentionBranch => [Site("layer_norm", "SelfAttention.q", "SelfAttention.k", "SelfAttention.v"),
            Site("SelfAttention.v", "SelfAttention.o")],
        T5CrossAttentionBranch => [Site("layer_norm", "EncDecAttention.q"), Site("EncDecAttention.v", "EncDecAttention.o")],
        T5FeedForwardBranch => [Site("layer_norm", "DenseReluDense.wi", "DenseReluDense.wi_0", "DenseReluDense.wi_1")],
        T5FeedForward { IsRelu: true } => [Site("wi", "wo"), Site("wi_1", "wo")],
        T5FeedForward => [Site("wi_1", "wo")],
        _ => [],
    };

    private static FoldSite Site(string producer, params string[] consumers) => new(producer, consumers);

    /// <summary>The place with its names below a module, and without consumers that the model lacks.</summary>
    private FoldSite Below(string module, Func<string, bool> exists)
    {
        string Full(string name) => module.Length == 0 ? name : $"{module}.{name}";
        return this with { Producer = Full(Producer), Consumers = [.. Consumers.Select(Full).Where(exists)] };
    }

    /// <summary>Whether the producer exists and has an output for each input of the consumers.</summary>
    private bool Fits(Dictionary<string, nn.Module> modules) => modules.TryGetValue(Producer, out var producer)
        && (producer is not IAdaptableLayer linear
            || linear.Outputs == FirstRow + ((IAdaptableLayer)modules[Consumers[0]]).Inputs);
}
