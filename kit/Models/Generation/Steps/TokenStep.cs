using ResearchKit.Layers;
using ResearchKit.Native;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>
/// Writes one token with a packed or quantized decoder without a call into libtorch: norms, products, attention over the cache,
/// activations and head.
/// </summary>
/// <remarks>
/// A pass through the modules calls libtorch some 230 times for GPT-2, between products that take 50 µs. Here each thread
/// computes its outputs of every product and its heads, and waits for the others after each. The results are those of the
/// modules within float32's rounding. Whatever the step does not know is left to the modules: hooks, gradients, batches,
/// padding, 8-bit caches, portable runs.
/// </remarks>
/// <param name="model">The decoder.</param>
/// <param name="first">Reads its first weight; null while it is neither packed nor quantized.</param>
/// <param name="describe">Reads what it computes; null where that is no step.</param>
internal sealed unsafe class TokenStep(nn.Module model, Func<PackedMatrix?> first, Func<StepPlan?> describe)
{
    private readonly Lock gate = new();
    private StepRun? run;
    private ModuleHooks? hooks;
    private PackedMatrix? refused;   // the first weight when the model was found to be no step

    /// <summary>Computes the next token's logits, or the normalised residual stream where the step has no head.</summary>
    /// <param name="tokens">int64 [batch, time].</param>
    /// <param name="cache">Keys and values of the earlier tokens; it takes those of the new one, but is not advanced.</param>
    /// <param name="attentionMask">Null for none.</param>
    /// <param name="isLogits">Whether the result is logits.</param>
    /// <returns>[1, vocabulary] or [1, channels]; null where the modules must compute them.</returns>
    public Tensor? Next(Tensor tokens, KeyValueCache cache, Tensor? attentionMask, out bool isLogits)
    {
        isLogits = false;
        if (attentionMask is not null || tokens.numel() != 1 || !IsPossible(tokens) || !gate.TryEnter()) return null;
        try
        {
            if (Current() is not { } current || hooks!.IsAny) return null;
            isLogits = current.HasHead;
            return current.Next(*(long*)NativeTensors.Data(tokens), cache);
        }
        finally
        {
            gate.Exit();
        }
    }

    private bool IsPossible(Tensor tokens) => !model.training && tokens.device_type == TorchSharp.DeviceType.CPU
        && !is_grad_enabled() && !FlopTally.IsAsked && ActivationTape.Current is null && !PortableMode.IsOn
        && IntegerSums.IsSupported && Autocast.TypeOn(TorchSharp.DeviceType.CPU) is null;

    private StepRun? Current()
    {
        if (run is { IsCurrent: true }) return run;
        run = null;
        if (first() is not { } weight || ReferenceEquals(weight, refused)) return null;
        hooks = ModuleHooks.Of(model);
        run = hooks is not null && describe() is { IsReadable: true } plan ? new StepRun(plan) : null;
        refused = run is null ? weight : null;
        return run;
    }
}
