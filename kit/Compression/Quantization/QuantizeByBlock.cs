using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

public static partial class Quantization
{
    /// <summary>
    /// Calibrates and quantizes a decoder block by block, in place: only the moments of one block are in memory at a time, and
    /// each batch runs through the model once.
    /// </summary>
    /// <remarks>
    /// The codes are those of <see cref="Calibration"/> over the same batches and
    /// <see cref="Quantize(nn.Module, QuantizationPlan, Calibration, IProgress{QuantizedLayer}, CancellationToken)"/>:
    /// blocks read what the original blocks before them give. The residual streams of all batches are kept, float32.
    /// </remarks>
    /// <param name="model">A <see cref="Gpt"/> or a <see cref="Llama"/>; changed in place.</param>
    /// <param name="batches">Tokens, int64 [batch, time] each; the caller keeps them.</param>
    /// <param name="plan">Which layers, and how; null for 8 bits and rounding to nearest. Without scaling.</param>
    /// <param name="progress">Told of each layer when it was rounded.</param>
    /// <param name="cancellation">Stops before the next batch or layer; the model is then as it was.</param>
    /// <returns>What became of each layer.</returns>
    /// <exception cref="ArgumentException">
    /// The model is no such decoder, there are no batches, or what <c>Quantize</c> refuses; the model is as it was.
    /// </exception>
    /// <exception cref="InvalidOperationException">The model is packed, quantized, or has adapters; it is as it was.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; the model is as it was.</exception>
    public static QuantizationReport QuantizeByBlock(nn.Module model, IReadOnlyList<Tensor> batches,
        QuantizationPlan? plan = null, IProgress<QuantizedLayer>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(batches);
        plan ??= new();
        if (model is not ILayeredDecoder decoder || model is Gpt { Config.Variations.MixesFirstValues: true })
            throw new ArgumentException($"The blocks of a {model.GetType().Name} are not known; calibrate the whole model.",
                nameof(model));
        if (plan.Scaling is not null)
            throw new ArgumentException("Factors of a scaling need the moments of the whole model.", nameof(plan));
        if (batches.Count == 0) throw new ArgumentException("There are no batches to calibrate with.", nameof(batches));
        var chosen = plan.Choose(model, null, checksInputs: false);
        var all = model.parameters().Sum(parameter => parameter.numel());
        using var memory = MallocTuning.Keep();
        using var rounding = new BlockRounding(chosen, plan, progress, cancellation);
        using (new EvaluationMode(model)) rounding.Run(decoder, batches);
        var reports = rounding.Reports;
        QuantizedModel.Hold(model, rounding.Take());
        return new QuantizationReport(reports, all - reports.Sum(report => report.Weights));
    }

    /// <summary>Rounds the layers that have read something since the last call.</summary>
    private sealed class BlockRounding : IDisposable
    {
        private readonly IReadOnlyList<(string Name, IQuantizableLayer Layer, QuantizationScheme Scheme)> chosen;
        private readonly QuantizationPlan plan;
        private readonly IProgress<QuantizedLayer>? progress;
        private readonly CancellationToken cancellation;
        private readonly Dictionary<string, InputMoments> moments = [];
        private readonly Dictionary<string, (QuantizedWeight Weight, QuantizedLayer Report)> made = [];
        private readonly List<Action> removals = [];
        private Tensor[] streams = [];

        public BlockRounding(IReadOnlyList<(string, IQuantizableLayer, QuantizationScheme)> chosen, QuantizationPlan plan,
            IProgress<QuantizedLayer>? progress, CancellationToken cancellation)
        {
            (this.chosen, this.plan, this.progress, this.cancellation) = (chosen, plan, progress, cancellation);
            foreach (var (name, layer, _) in this.chosen)
            {
                if (layer.IsTable || layer.Module is not nn.Module<Tensor, Tensor> module) continue;
                var hook = module.register_forward_pre_hook((_, x) =>
                {
                    if (!moments.TryGetValue(name, out var seen)) moments[name] = seen = new InputMoments(x.shape[^1], x.device);
                    seen.Add(x);
                    return x;
                });
                removals.Add(hook.remove);
            }
        }

        /// <summary>The layers in the order of the plan.</summary>
        public IReadOnlyList<QuantizedLayer> Reports => [.. chosen.Select(one => made[one.Name].Report)];

        public void Run(ILayeredDecoder decoder, IReadOnlyList<Tensor> batches)
        {
            using var noGrad = no_grad();
            Pass(batches, decoder.Begin);
            for (var block = 0; block < decoder.LayerCount; block++)
            {
                Pass(streams, x => decoder.RunLayer(block, x, decoder.PassFrom(0, x.shape[1], x, null)));
                RoundRead();
            }
            if (chosen.Any(one => !made.ContainsKey(one.Name) && !one.Layer.IsTable)) Pass(streams, decoder.Finish, keeps: false);
            RoundRead();
            foreach (var (name, layer, scheme) in chosen)
                if (!made.ContainsKey(name)) Add(name, layer, scheme, null);
        }

        /// <summary>The new weights; the caller owns them.</summary>
        public List<(IQuantizableLayer Layer, QuantizedWeight Weight)> Take()
        {
            var taken = chosen.Select(one => (one.Layer, made[one.Name].Weight)).ToList();
            made.Clear();
            foreach (var stream in streams) stream.Dispose();
            streams = [];
            return taken;
        }

        public void Dispose()
        {
            foreach (var remove in removals) remove();
            foreach (var stream in streams) stream.Dispose();
            foreach (var seen in moments.Values) seen.Dispose();
            foreach (var (weight, _) in made.Values) weight.Dispose();
        }

        private void Pass(IReadOnlyList<Tensor> read, Func<Tensor, Tensor> run, bool keeps = true)
        {
            if (streams.Length == 0) streams = new Tensor[read.Count];
            for (var batch = 0; batch < read.Count; batch++)
            {
                cancellation.ThrowIfCancellationRequested();
                using var scope = NewDisposeScope();
                var result = run(read[batch]);
                if (!keeps) continue;
                streams[batch]?.Dispose();
                streams[batch] = result.DetachFromDisposeScope();
            }
        }

        private void RoundRead()
        {
            foreach (var (name, layer, scheme) in chosen)
                if (moments.Remove(name, out var seen))
                    using (seen) Add(name, layer, scheme, seen);
        }

        private void Add(string name, IQuantizableLayer layer, QuantizationScheme scheme, InputMoments? inputs)
        {
            cancellation.ThrowIfCancellationRequested();
            using var matrix = layer.Matrix();
            RoundedLayers.Named(name, () => plan.Check(layer, scheme, checksInputs: true, inputs));
            CheckStatic(name, scheme, inputs);
            var (codes, report) = Round(name, matrix, scheme, plan.Rounding, inputs);
            using (codes) made[name] = (layer.Made(codes, InputScale(scheme, inputs)), report);
            progress?.Report(report);
        }
    }
}
