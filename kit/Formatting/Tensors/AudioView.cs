using ResearchKit.Data;
using static TorchSharp.torch;

namespace ResearchKit.Formatting;

/// <summary>Shows a recording: a player, its waveform and its log-mel spectrogram.</summary>
internal static class AudioView
{
    private const double MostSeconds = 10;
    private const int MostRate = 16_000, LeastSamples = 64;

    public static Html Draw(AudioClip clip)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        if (clip.Samples.numel() == 0) return Theme.Output(Html.Of($"<div class=\"rk-line\"><b>{clip.ToString()}</b></div>"));
        var shown = clip.Samples.mean([0], keepdim: true)
            .narrow(1, 0, Math.Min(clip.Samples.shape[1], (long)(MostSeconds * clip.SampleRate)));
        var part = new AudioClip(shown.nan_to_num(0, 0, 0).contiguous(),
            clip.SampleRate).Resampled(Math.Min(clip.SampleRate, MostRate));
        var wav = Convert.ToBase64String(WavFile.Write(part));
        var left = clip.Seconds > MostSeconds ? $"player: the first {MostSeconds:0} of {Numbers.Short(clip.Seconds)} s" : "";
        return Theme.Output(Html.Of($"""
            <div class="rk-line"><b>{clip.ToString()}</b></div><div>{Waveform.Draw(clip)}</div>
            <audio controls="controls" preload="none" src="data:audio/wav;base64,{wav}"></audio><div class="rk-cap">{left}</div>{Spectrogram(part)}
            """));
    }

    private static Html Spectrogram(AudioClip clip)
    {
        if (clip.Samples.shape[1] < LeastSamples) return Html.Empty;
        var options = clip.SampleRate == MelOptions.At8kHz.SampleRate ? MelOptions.At8kHz
            : MelOptions.At16kHz with { SampleRate = clip.SampleRate, HighestFrequency = clip.SampleRate / 2.0, Bands = 64 };
        using var mel = new MelFeatures(options);
        return SpectrogramView.Fragment(mel.LogMel(clip.Samples[0]).AsSpectrogram((double)options.HopLength / clip.SampleRate));
    }
}
